"""Keeps the latest responses of a run for its page: a few prompts, each with both models' responses as they come.

All texts are cut to a length that a page can show. They are never stored.
"""

from collections import OrderedDict
from dataclasses import dataclass

from diffing.types import Prompt, Side

MOST_PROMPTS = 3
"""Number of prompts that are shown at a time."""
PROMPT_LENGTH = 300
"""Maximum number of characters of a prompt."""
RESPONSE_LENGTH = 600
"""Maximum number of characters of a response."""


@dataclass(frozen=True, slots=True)
class LivePair:
    """A prompt with the responses that there are so far."""

    prompt: str
    """The last user message, perhaps cut off."""
    a: str | None = None
    """Model A's response, perhaps cut off; None if it has not responded yet."""
    b: str | None = None
    """Model B's response, perhaps cut off; None if it has not responded yet."""


class LatestResponses:
    """Collects responses and pairs those to the same prompt."""

    def __init__(self) -> None:
        self._waiting: dict[str, dict[Side, str]] = {}
        self._latest: OrderedDict[str, LivePair] = OrderedDict()

    def add(self, side: Side, prompt: Prompt, text: str) -> None:
        """Adds a response."""
        texts = {**self._waiting.pop(prompt.id, {}), side: cut(text, RESPONSE_LENGTH)}
        if len(texts) == 1:
            self._waiting[prompt.id] = texts
        self._latest.pop(prompt.id, None)
        self._latest[prompt.id] = LivePair(cut(prompt.text, PROMPT_LENGTH), texts.get("a"), texts.get("b"))
        while len(self._latest) > MOST_PROMPTS:
            self._latest.popitem(last=False)

    @property
    def pairs(self) -> tuple[LivePair, ...]:
        """The latest prompts, the newest first."""
        return tuple(reversed(self._latest.values()))


def cut(text: str, length: int) -> str:
    """The beginning of a text, with an ellipsis if something is left out."""
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"
