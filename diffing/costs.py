"""Expected calls, tokens, dollars and minutes of one stage of a run, and the assumptions behind these figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

from diffing.model_ref import is_remote
from diffing.run_settings import RunSettings
from diffing.types import SIDES, Prompt, Side, Stage

RESPONSE_TOKENS = 350
"""Assumed length of a response in tokens, typical of chat answers."""
CHARACTERS_PER_TOKEN = 4
"""Assumed characters per token, typical of English text in common vocabularies."""
SECONDS_PER_CALL = 6.0
"""Assumed time for one answer of a remote model; the real time depends on the server and the length."""


@dataclass(frozen=True, slots=True)
class StageEstimate:
    """The expected calls, tokens, dollars and minutes of one stage of a run."""

    name: Stage
    """The stage, named as in the report's usage."""
    model: str
    """The model string of the model that is called."""
    calls: int
    """Number of completions."""
    prompt_tokens: int
    """Number of prompt tokens over all calls."""
    completion_tokens: int
    """Number of completion tokens over all calls, at the assumed lengths."""
    usd: float | None
    """Cost in dollars; None if the price is unknown, 0 if nothing is paid."""
    minutes: float | None
    """Duration in minutes; None if the speed is unknown."""


def expected(config: RunSettings, stage: Stage, model: str, calls: int, read: int, written: int) -> StageEstimate:
    """Estimates the dollars and minutes of a stage from its calls and tokens.

    Args:
        config: The run.
        stage: The stage.
        model: The model string of the model that is called.
        calls: Number of completions.
        read: Number of prompt tokens over all calls.
        written: Number of completion tokens over all calls.
    """
    if not is_remote(model):
        return StageEstimate(stage, model, calls, read, written, 0.0, None)
    minutes = calls * SECONDS_PER_CALL / config.concurrency / 60
    usd = config.price.of(read, written) if config.price else None
    return StageEstimate(stage, model, calls, read, written, usd, minutes)


def response_tokens(config: RunSettings) -> int:
    """The assumed length of a response, in tokens."""
    return min(RESPONSE_TOKENS, config.max_new_tokens)


@dataclass(frozen=True, slots=True)
class ResponseLengths:
    """The lengths of responses in tokens: the real ones if they are recorded, otherwise an assumed one."""

    assumed: int
    """The length of a response that is not recorded."""
    recorded: Mapping[tuple[Side, str], int] = field(default_factory=dict)
    """The lengths of recorded responses, by side and prompt id."""

    def of_pair(self, prompt: Prompt) -> int:
        """The length of both responses to a prompt."""
        return sum(self.recorded.get((side, prompt.id), self.assumed) for side in SIDES)

    def reading(self, prompts: Sequence[Prompt]) -> int:
        """The number of tokens that a model reads if it reads both responses to all prompts, each behind its prompt."""
        return sum(self.of_pair(prompt) + 2 * tokens(prompt.text) for prompt in prompts)

    def pair_tokens(self, prompts: Sequence[Prompt]) -> int:
        """The mean length of a prompt with both its responses."""
        lengths = [tokens(prompt.text) + self.of_pair(prompt) for prompt in prompts]
        return round(sum(lengths) / len(lengths)) if lengths else 0


def tokens(text: str) -> int:
    """The assumed number of tokens in a text."""
    return ceil(len(text) / CHARACTERS_PER_TOKEN)
