"""`RowBatch` and `RowStream`, the activations of both models that a dictionary is trained on; where they come from
does not matter here."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class RowBatch:
    """Activations of both models at the same places of texts."""

    a: "Tensor"
    """Model A's residual stream; rows x width of A, float32, on the CPU."""
    b: "Tensor"
    """Model B's residual stream; rows x width of B, float32, on the CPU."""
    place: int
    """The position in the stream after this batch, at which `RowStream.batches` can go on: the number of training rows
    so far, including the few that were left out as attention sinks."""


class RowStream(Protocol):
    """Training rows in a seeded order, which is the same each time."""

    @property
    def widths(self) -> tuple[int, int]:
        """The widths of the residual streams of A and of B."""

    @property
    def total(self) -> int:
        """The number of training rows of the stream, or an estimate if texts are streamed; never less than it gives."""

    @property
    def identity(self) -> str:
        """A hash of everything that affects the rows: models, layers, texts and settings."""

    def batches(self, rows: int, start: int = 0) -> Iterator[RowBatch]:
        """Yields the training rows, each batch with exactly `rows` rows; a rest that fills no batch is dropped.

        Args:
            rows: The number of rows per batch.
            start: The place of an earlier batch, after which to go on; the batches are the same, byte for byte, as
                those that follow it in an uninterrupted stream.
        """

    def held_back(self, rows: int) -> Iterator[RowBatch]:
        """Yields the rows that are never trained on (5 %), in batches of at most `rows` rows."""
