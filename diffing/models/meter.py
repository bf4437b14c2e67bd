"""Enforces hard limits on calls and dollars, shared by all remote models of a run.

A `MeteredModel` lies below the cache, so only calls that are really made count. A call is one requested completion;
failed attempts that are repeated within it count once.
"""

from collections.abc import Sequence
from itertools import accumulate

from diffing.errors import LimitError, SettingError
from diffing.models.base import Model, ModelWrapper, OnCompletion, OnTokens, Price, Sampling
from diffing.types import Completion, Conversation

_MESSAGE_TOKENS = 16
"""Maximum number of tokens that a chat template adds per message."""


class Meter:
    """Counts the calls and dollars of a run against its limits. Use it from one thread at a time."""

    def __init__(self, max_calls: int | None = None, max_usd: float | None = None) -> None:
        if max_calls is not None and max_calls < 0:
            raise SettingError(f"max_calls must be 0 or more, got {max_calls}")
        if max_usd is not None and not max_usd >= 0:
            raise SettingError(f"max_usd must be 0 or more, got {max_usd}")
        self.max_calls = max_calls
        """Maximum number of completions; None is no limit."""
        self.max_usd = max_usd
        """Maximum cost in dollars; None is no limit."""
        self.calls = 0
        """Number of completions requested so far."""
        self.usd = 0.0
        """Dollars spent so far, at the given prices."""

    def room(self, costs: Sequence[float]) -> int:
        """How many of the next calls fit into the limits, given the maximum cost of each in dollars."""
        fits = len(costs) if self.max_calls is None else min(len(costs), self.max_calls - self.calls)
        if self.max_usd is not None:
            left = self.max_usd - self.usd
            fits = min(fits, sum(total <= left for total in accumulate(costs)))
        return fits

    def count(self, usd: float) -> None:
        """Records one call and its cost."""
        self.calls += 1
        self.usd += usd

    def refuse(self, waiting: int, next_usd: float) -> LimitError:
        """Creates the error for `waiting` calls that do not fit, of which the next could cost `next_usd`."""
        if self.max_calls is not None and self.calls >= self.max_calls:
            reached = f"The limit of {self.max_calls} calls (max_calls) is reached"
        else:
            could = f"the next call can cost up to ${next_usd:.4g}"
            reached = f"The limit of ${self.max_usd:g} (max_usd) could be passed: {could}"
        return LimitError(
            f"{reached}; {self.calls} calls made, ${self.usd:.4g} spent, at least {waiting} more calls needed. "
            "All answers so far are kept: rerun with a higher limit to continue from there."
        )


class MeteredModel(ModelWrapper):
    """A model that stops before a call could exceed the limits, whatever the answers turn out to cost."""

    def __init__(self, model: Model, meter: Meter, price: Price | None = None) -> None:
        if meter.max_usd is not None and price is None:
            raise SettingError(
                f"max_usd needs the price of {model.id}: give dollars per million tokens, or use max_calls"
            )
        super().__init__(model)
        self.meter = meter
        """The run's meter."""
        self.price = price or Price(prompt=0.0, completion=0.0)
        """Dollars per million tokens."""

    def generate(
        self,
        conversations: Sequence[Conversation],
        sampling: Sampling,
        *,
        on_completion: OnCompletion | None = None,
        on_tokens: OnTokens | None = None,
    ) -> list[Completion]:
        """Asks in chunks, each as large as certainly fits; cheaper answers than expected leave room for more.

        Raises:
            LimitError: The next call could exceed a limit; `on_completion` has received all earlier completions.
            ModelError: See `Model.generate`.
        """
        at_most = [self.price.of(_prompt_tokens(each), sampling.max_new_tokens) for each in conversations]
        done: list[Completion] = []
        while (start := len(done)) < len(conversations):
            fits = self.meter.room(at_most[start:])
            if fits < 1:
                raise self.meter.refuse(len(conversations) - start, at_most[start])
            chunk = conversations[start : start + fits]

            def count(position: int, completion: Completion, start: int = start) -> None:
                self.meter.count(self._spent(conversations[start + position], completion, sampling))
                if on_completion:
                    on_completion(start + position, completion)

            done += self.model.generate(chunk, sampling, on_completion=count, on_tokens=on_tokens)
        return done

    def _spent(self, conversation: Conversation, completion: Completion, sampling: Sampling) -> float:
        """The cost of a call in dollars; the maximum possible cost if the server does not count tokens."""
        read, written = completion.prompt_tokens, completion.completion_tokens
        if written is None:
            size = len((completion.text + (completion.thinking or "")).encode(errors="replace"))
            written = min(size, sampling.max_new_tokens)
        return self.price.of(_prompt_tokens(conversation) if read is None else read, written)


def _prompt_tokens(conversation: Conversation) -> int:
    """The maximum number of tokens of a prompt: a token of a byte-level vocabulary has at least one byte."""
    return sum(len(message.content.encode(errors="replace")) + _MESSAGE_TOKENS for message in conversation)
