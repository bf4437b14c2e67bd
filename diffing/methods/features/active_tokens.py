"""`Token`: a token of a response at which a feature is active, and the protocol by which a reader finds them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

from diffing.methods.exchanges import Exchange


@dataclass(frozen=True, slots=True)
class Token:
    """A token of a response at which a feature is active."""

    first: int
    """The position of its first character in the response."""
    last: int
    """The position after its last character."""
    value: float
    """The feature's activation at the token."""


Traced: TypeAlias = Mapping[int, tuple[Token, ...]]
"""For each feature the tokens of a response at which it is active, in text order."""


class Tracer(Protocol):
    """Finds the tokens at which features are active."""

    def trace(self, exchange: Exchange, features: Sequence[int]) -> Traced:
        """Returns for each feature the tokens of one response at which it is active, in text order.

        Raises:
            ValueError: The exchange cannot be read.
        """


@runtime_checkable
class BatchTracer(Tracer, Protocol):
    """A tracer that traces several responses in one reading, which saves time if models must be loaded for it."""

    def trace_all(self, requests: Sequence[tuple[Exchange, Sequence[int]]]) -> list[Traced]:
        """Traces each exchange for its features, in order.

        Raises:
            ValueError: An exchange cannot be read.
        """


def trace_all(tracer: Tracer, requests: Sequence[tuple[Exchange, Sequence[int]]]) -> list[Traced]:
    """Traces each exchange for its features, in order; at once if the tracer can.

    Raises:
        ValueError: An exchange cannot be read.
    """
    if isinstance(tracer, BatchTracer):
        return tracer.trace_all(requests)
    return [tracer.trace(exchange, features) for exchange, features in requests]
