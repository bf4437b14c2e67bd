"""`RowBatch` and `RowStream`: batches of both models' activations, the data on which dictionaries are trained."""

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
    """The place in the stream after this batch, at which `RowStream.batches` can go on: the number of training rows so
    far, over all passes and with the few that were left out as attention sinks."""


class RowStream(Protocol):
    """Training rows in a seeded order, which is the same each time."""

    @property
    def widths(self) -> tuple[int, int]:
        """The widths of the residual streams of A and of B."""

    @property
    def total(self) -> int:
        """The number of training rows of one pass; an estimate if texts are streamed from the Hub."""

    @property
    def identity(self) -> str:
        """A hash of everything that affects the rows: models, layers, texts and settings."""

    def batches(self, rows: int, start: int = 0) -> Iterator[RowBatch]:
        """Yields the training rows pass after pass, without end, each batch with exactly `rows` rows.

        Args:
            rows: The number of rows per batch.
            start: The place of an earlier batch, after which to go on; the batches are the same, byte for byte, as
                those that follow it in an uninterrupted stream.
        """

    def held_back(self, rows: int) -> Iterator[RowBatch]:
        """Yields the rows that are never trained on (5%) once, in batches of at most `rows` rows."""
