"""Reads responses with both models and the dictionaries: the largest activation of every latent, and where it is."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from diffing.methods.crosscoder.dictionaries import Dictionaries
from diffing.methods.crosscoder.stages import READ
from diffing.methods.exchanges import Exchange, UnreadableResponse
from diffing.methods.features.active_tokens import Token, Traced
from diffing.methods.features.sparse_latents import Latents
from diffing.methods.inside.pair_reading import AlignedRows
from diffing.methods.inside.row_batches import RowBatch
from diffing.types import OnProgress, ignore_progress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class ReadsRows(Protocol):
    """What reads exchanges with both models."""

    def read(self, exchanges: Sequence[Exchange]) -> Iterator[AlignedRows | UnreadableResponse]:
        """See `InsidePair.read`."""


class LatentReading:
    """Reads every exchange once and keeps its latents; a `BatchTracer`."""

    def __init__(self, pair: ReadsRows, dictionaries: Dictionaries) -> None:
        self._pair = pair
        self._dictionaries = dictionaries
        self._known: dict[Exchange, Latents | UnreadableResponse] = {}
        self.thresholds: NDArray[np.float64] | None = None
        """Above which activation `trace` shows a token, for each latent; None shows all."""

    def read(
        self, exchanges: Sequence[Exchange], on_progress: OnProgress = ignore_progress
    ) -> list[Latents | UnreadableResponse]:
        """Returns the largest activation of every active latent over the read positions of each exchange."""
        missing = [exchange for exchange in dict.fromkeys(exchanges) if exchange not in self._known]
        on_progress(READ, 0, len(missing))
        for done, (exchange, rows) in enumerate(zip(missing, self._pair.read(missing), strict=True), 1):
            self._known[exchange] = rows if isinstance(rows, UnreadableResponse) else self._latents(rows)
            on_progress(READ, done, len(missing))
        return [self._known[exchange] for exchange in exchanges]

    def rows(self, exchanges: Sequence[Exchange]) -> Iterator[RowBatch]:
        """Yields the rows of the exchanges that both models can read, one batch for each."""
        place = 0
        for rows in self._pair.read(exchanges):
            if not isinstance(rows, UnreadableResponse) and len(rows.a):
                place += len(rows.a)
                yield RowBatch(rows.a, rows.b, place)

    def activations(
        self, exchanges: Iterable[Exchange], features: Sequence[int]
    ) -> "Iterator[tuple[AlignedRows, NDArray[np.float32]] | UnreadableResponse]":
        """Yields the rows of each exchange with the activations of a few latents, as rows x features."""
        for rows in self._pair.read(list(exchanges)):
            if isinstance(rows, UnreadableResponse):
                yield rows
            else:
                yield rows, self._dictionaries.activations(rows.a, rows.b)[:, list(features)].numpy()

    def trace(self, exchange: Exchange, features: Sequence[int]) -> Traced:
        """Returns for each of a few latents the tokens of one response at which it exceeds its threshold.

        The anchor, which stands before the response, covers none of its characters; it is given only if the latent is
        active nowhere else.

        Raises:
            ValueError: The exchange cannot be read.
        """
        return self.trace_all([(exchange, features)])[0]

    def trace_all(self, requests: Sequence[tuple[Exchange, Sequence[int]]]) -> list[Traced]:
        """Traces each exchange as `trace` does, in one reading.

        Raises:
            ValueError: An exchange cannot be read.
        """
        reads = self._pair.read([exchange for exchange, _ in requests])
        return [self._traced(rows, features) for rows, (_, features) in zip(reads, requests, strict=True)]

    def _traced(self, rows: AlignedRows | UnreadableResponse, features: Sequence[int]) -> Traced:
        if isinstance(rows, UnreadableResponse):
            raise ValueError(f"expected a text that can be read, got one that is {rows.reason}")
        values = self._dictionaries.activations(rows.a, rows.b)[:, list(features)].numpy()
        found: dict[int, tuple[Token, ...]] = {}
        for column, index in enumerate(features):
            above = float(self.thresholds[index]) if self.thresholds is not None else 0.0
            spans = zip(rows.spans, values[:, column].tolist(), strict=True)
            active = tuple(Token(first, last, value) for (first, last), value in spans if value > above)
            found[index] = tuple(token for token in active if token.last) or active
        return found

    def _latents(self, rows: AlignedRows) -> Latents:
        import numpy as np

        if not len(rows.a):
            return Latents(np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float32), 0)
        largest = self._dictionaries.activations(rows.a, rows.b).max(dim=0).values.numpy()
        indices = np.flatnonzero(largest).astype(np.int32)
        return Latents(indices, largest[indices], len(rows.spans))
