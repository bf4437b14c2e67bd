"""`Exchange`: a conversation with a response to it, as models read it; and why a response cannot be read."""

from dataclasses import dataclass

from diffing.types import Conversation


@dataclass(frozen=True, slots=True)
class Exchange:
    """A conversation and the response to it, which a model reads."""

    conversation: Conversation
    """The messages that were sent."""
    response: str
    """The response to them."""


@dataclass(frozen=True, slots=True)
class UnreadableResponse:
    """A response that a model cannot read."""

    reason: str
    """The reason, in plain words."""
