"""What a model is to the rest of the package: conversations in, completions out, in order.

Knows no backend. Concurrency, batching and retries live inside the backends.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from diffing.types import Completion, Conversation

OnCompletion: TypeAlias = Callable[[int, Completion], None]
"""`on_completion(index, completion)`: called from the calling thread as soon as each exists, in any order."""
OnTokens: TypeAlias = Callable[[int], None]
"""`on_tokens(count)`: called as new tokens are made, by backends that see them."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How text is drawn; all of it is part of the cache key."""

    max_new_tokens: int = 1024
    """At most this many tokens per response."""
    temperature: float = 0.0
    """0 is greedy."""
    top_p: float = 1.0
    """Nucleus."""
    seed: int = 0
    """Noise is drawn from (seed, conversation, sample), never from a global generator."""
    sample: int = 0
    """Independent samples of one model are numbered."""
    json_schema: str | None = None
    """For replies: the JSON schema, as JSON text, that servers which can are told to keep to."""


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars per million tokens."""

    prompt: float
    """Tokens read."""
    completion: float
    """Tokens written."""

    def of(self, prompt_tokens: int, completion_tokens: int) -> float:
        """Dollars for so many tokens."""
        return (prompt_tokens * self.prompt + completion_tokens * self.completion) / 1e6


class Model(Protocol):
    """Anything that turns conversations into text."""

    @property
    def id(self) -> str:
        """Identity: all that decides the text but the conversation and the sampling.

        `org/name@commit-sha`, with quantisation or server where they matter.
        """

    @property
    def remote(self) -> bool:
        """Whether each call goes to a server, and counts against `max_calls` and `max_usd`."""

    def generate(
        self,
        conversations: Sequence[Conversation],
        sampling: Sampling,
        *,
        on_completion: OnCompletion | None = None,
        on_tokens: OnTokens | None = None,
    ) -> list[Completion]:
        """Answers every conversation; the result has the same length and order.

        Raises:
            ModelError: The model cannot be used at all. A conversation that alone cannot be answered (too long,
                refused by the provider) is a completion whose `finish` says so, not an error.
        """
