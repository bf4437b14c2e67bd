"""What training needs of rows: activations of both models at the same places of texts, in batches."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor


class RowBatch(Protocol):
    """Activations of both models at the same places of texts."""

    @property
    def a(self) -> "Tensor":
        """Rows x d_a, float32: the residual stream of model A, as the model has it."""

    @property
    def b(self) -> "Tensor":
        """Rows x d_b, float32: the same of model B."""

    @property
    def place(self) -> int:
        """The number of training rows of the stream up to and including this batch, counted over all passes."""


class RowStream(Protocol):
    """Rows in a seeded order, the same each time."""

    @property
    def widths(self) -> tuple[int, int]:
        """The dimensions d_a and d_b."""

    @property
    def total(self) -> int:
        """The number of training rows of one pass; an estimate if the texts are streamed."""

    def batches(self, rows: int, start: int = 0) -> Iterator[RowBatch]:
        """Yields training batches of `rows` rows each, pass after pass without end, from the place `start` on."""

    def held_back(self, rows: int) -> Iterator[RowBatch]:
        """Yields the rows that are never trained on, once; the last batch may be shorter."""
