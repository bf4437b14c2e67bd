"""`Token`: a token of a response at which a feature is active, and the protocol by which a reader finds them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

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


class Tracer(Protocol):
    """Finds the tokens at which features are active."""

    def trace(self, exchange: Exchange, features: Sequence[int]) -> Mapping[int, tuple[Token, ...]]:
        """Returns for each feature the tokens of one response at which it is active, in text order.

        Raises:
            ValueError: The exchange cannot be read.
        """
