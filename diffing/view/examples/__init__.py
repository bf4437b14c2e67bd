"""Finished diffs that ship with the package, for the start page. Made by `python -m tests.view.examples.make`."""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from diffing.errors import SettingError

__all__ = ["EXAMPLES", "Example", "example_folder"]

_HERE = Path(str(files(__name__)))


@dataclass(frozen=True, slots=True)
class Example:
    """A finished diff to look at."""

    key: str
    """Its name in links."""
    title: str
    """A few words, at most 40 characters."""
    caption: str
    """What it shows, in one sentence."""
    folder: Path
    """Of its report."""


EXAMPLES: tuple[Example, ...] = (
    Example(
        "planted",
        "Two tiny models, planted differences",
        "Two tiny models that come with the package: of fourteen differences planted in them, thirteen are confirmed, "
        "and the rarest is not.",
        _HERE / "planted",
    ),
    Example(
        "rules",
        "The LLM method, played by rules",
        "The same two models with sentences, verdicts and ratings as an LLM gives them, but no LLM took part: a "
        "program of rules stood in for it.",
        _HERE / "rules",
    ),
    Example(
        "itself",
        "One model against itself",
        "The same tiny model twice, with a second sample of its answers: whatever were confirmed would be a false "
        "alarm, and nothing is.",
        _HERE / "itself",
    ),
)
"""In the order in which they are offered."""


def example_folder(key: str) -> Path:
    """The folder of an example's report.

    Args:
        key: From `EXAMPLES`; anything else may come from a visitor and never becomes a path.

    Raises:
        SettingError: There is no such example.
    """
    for example in EXAMPLES:
        if example.key == key:
            return example.folder
    expected = ", ".join(example.key for example in EXAMPLES)
    raise SettingError(f"There is no example {key!r:.60}: expected one of {expected}. Choose one of these")
