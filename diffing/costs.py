"""What one stage of a run is expected to take, and what is assumed to say so. Knows no method."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from diffing.model_ref import is_remote
from diffing.run_settings import RunSettings
from diffing.types import Prompt, Stage

RESPONSE_TOKENS = 350
"""Tokens of a response where nothing is known; a usual chat answer."""
CHARACTERS_PER_TOKEN = 4
"""English text in usual vocabularies."""
SECONDS_PER_CALL = 6.0
"""One answer of a remote model: a usual time, server and length decide."""


@dataclass(frozen=True, slots=True)
class StageEstimate:
    """What one stage of a run takes."""

    name: Stage
    """As in the report's usage."""
    model: str
    """Who is asked."""
    calls: int
    """Completions."""
    prompt_tokens: int
    """Tokens read."""
    completion_tokens: int
    """Tokens written, at the assumed lengths."""
    usd: float | None
    """Dollars; None where no price is known, 0 where nothing is paid."""
    minutes: float | None
    """None where nothing is known of the speed."""


def expected(config: RunSettings, stage: Stage, model: str, calls: int, read: int, written: int) -> StageEstimate:
    """What a stage takes in which a model is asked.

    Args:
        config: The run.
        stage: The stage.
        model: The string of the model that is asked.
        calls: Completions.
        read: Tokens that it reads in all of them.
        written: Tokens that it writes in all of them.
    """
    if not is_remote(model):
        return StageEstimate(stage, model, calls, read, written, 0.0, None)
    minutes = calls * SECONDS_PER_CALL / config.concurrency / 60
    usd = config.price.of(read, written) if config.price else None
    return StageEstimate(stage, model, calls, read, written, usd, minutes)


def response_tokens(config: RunSettings) -> int:
    """Tokens that a response is assumed to have."""
    return min(RESPONSE_TOKENS, config.max_new_tokens)


def pair_tokens(config: RunSettings, prompts: Sequence[Prompt]) -> int:
    """Tokens of a prompt of usual length with both its responses."""
    lengths = [tokens(prompt.text) for prompt in prompts]
    return 2 * response_tokens(config) + (round(sum(lengths) / len(lengths)) if lengths else 0)


def tokens(text: str) -> int:
    """Tokens that a text is assumed to have."""
    return ceil(len(text) / CHARACTERS_PER_TOKEN)
