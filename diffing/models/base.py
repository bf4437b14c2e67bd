"""The `Model` protocol, which every backend implements: conversations in, completions out, in the same order.

Also defines the sampling parameters and prices. Concurrency, batching and retries are up to the backends.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from diffing.types import Completion, Conversation

OnCompletion: TypeAlias = Callable[[int, Completion], None]
"""Callback `on_completion(index, completion)`, called on the calling thread after each completion, in any order."""
OnTokens: TypeAlias = Callable[[int], None]
"""Callback `on_tokens(count)` with the number of new tokens, called by backends that see single tokens."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """The sampling parameters of completions; all of them are part of the cache key."""

    max_new_tokens: int = 1024
    """Maximum number of tokens per completion."""
    temperature: float = 0.0
    """Sampling temperature; 0 is greedy decoding."""
    top_p: float = 1.0
    """Probability mass of nucleus sampling."""
    seed: int = 0
    """Random seed. Noise depends on (seed, conversation, sample) alone, never on a global generator."""
    sample: int = 0
    """Sample number; samples of one model with different numbers are independent."""
    json_schema: str | None = None
    """For structured replies: the JSON schema, as JSON text, which servers that support it must follow."""


@dataclass(frozen=True, slots=True)
class Price:
    """The price of a remote model, in dollars per million tokens."""

    prompt: float
    """Dollars per million prompt tokens."""
    completion: float
    """Dollars per million generated tokens."""

    def of(self, prompt_tokens: int, completion_tokens: int) -> float:
        """The cost in dollars of a number of tokens."""
        return (prompt_tokens * self.prompt + completion_tokens * self.completion) / 1e6


class Model(Protocol):
    """Anything that turns conversations into text."""

    @property
    def id(self) -> str:
        """The model's id, which stands for everything that decides the text besides conversation and sampling.

        For example `org/name@commit-sha`, with the quantisation or the server if these matter.
        """

    @property
    def remote(self) -> bool:
        """Whether calls go to a server and count against `max_calls` and `max_usd`."""

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
            ModelError: The model cannot be used at all. If only one conversation cannot be answered (too long, refused
                by the provider), its completion says so in `finish` instead.
        """


class ModelWrapper:
    """Base class of models that add something to another model; they keep its id and answer where it answers."""

    def __init__(self, model: Model) -> None:
        self.model = model
        """The wrapped model."""

    @property
    def id(self) -> str:
        """The id of the wrapped model."""
        return self.model.id

    @property
    def remote(self) -> bool:
        """Whether the wrapped model is remote."""
        return self.model.remote
