"""`ReadPair`: a pair of responses with the latents that are active in each."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from diffing.methods.exchanges import Exchange, UnreadableResponse
from diffing.methods.features.sparse_latents import Latents
from diffing.types import Pair, Side

ReadExchanges: TypeAlias = Callable[[Sequence[Exchange]], Sequence[Latents | UnreadableResponse]]
"""Returns the latents of each exchange, or why it cannot be read."""


@dataclass(frozen=True, slots=True)
class ReadPair:
    """A pair with the latents of both responses."""

    pair: Pair
    """The prompt and the two responses."""
    a: Latents
    """The latents of A's response."""
    b: Latents
    """The latents of B's response."""

    def latents(self, side: Side) -> Latents:
        """Returns the latents of one side's response."""
        return self.a if side == "a" else self.b

    def exchange(self, side: Side) -> Exchange:
        """Returns the conversation with one side's response."""
        return Exchange(self.pair.prompt.messages, self.pair.response(side).text)


def exchanges_of(pairs: Sequence[Pair]) -> list[Exchange]:
    """Returns both responses of every pair with the conversations that they answer."""
    return [Exchange(pair.prompt.messages, response.text) for pair in pairs for response in (pair.a, pair.b)]


def read_pairs(pairs: Sequence[Pair], read: ReadExchanges) -> tuple[list[ReadPair], Mapping[str, int]]:
    """Returns the pairs of which both responses could be read, and counts why the others could not.

    Args:
        pairs: The pairs.
        read: Reads the responses of all pairs that have both.
    """
    answered = [pair for pair in pairs if "error" not in (pair.a.finish, pair.b.finish)]
    rows = read(exchanges_of(answered))
    both: list[ReadPair] = []
    unread: Counter[str] = Counter()
    for pair, a, b in zip(answered, rows[::2], rows[1::2], strict=True):
        if isinstance(a, Latents) and isinstance(b, Latents):
            both.append(ReadPair(pair, a, b))
        else:
            refused = a if isinstance(a, UnreadableResponse) else b
            unread[f"pairs that cannot be read: {refused.reason}"] += 1  # type: ignore[union-attr]
    if len(answered) < len(pairs):
        unread["pairs without an answer of one side"] = len(pairs) - len(answered)
    return both, dict(unread)
