"""Measures on train responses what a published crosscoder's files lack: the scale and moments of activations."""

from collections.abc import Iterable

import torch  # noqa: TID253 - only reading a dictionary imports this module

from diffing.errors import SettingError
from diffing.methods.crosscoder.published.layout import Measured
from diffing.methods.crosscoder.sparse_dictionary import Normaliser
from diffing.methods.inside.row_batches import RowBatch

_SMALLEST_DEVIATION = 1e-6
"""Dimensions that vary less are treated as if they varied this much."""


def measure(batches: Iterable[RowBatch], rows: int, measured: Measured) -> Normaliser:
    """Measures a normaliser on the first rows of a stream.

    Args:
        batches: Batches of rows; no more are taken than needed.
        rows: The number of rows; the last batch is taken whole.
        measured: What is measured.

    Raises:
        SettingError: There are no rows.
    """
    moments = [_Moments(), _Moments()]
    for batch in batches:
        for own, found in zip(moments, (batch.a, batch.b), strict=True):
            own.add(found.double().cpu())
        if moments[0].rows >= rows:
            break
    if not moments[0].rows:
        raise SettingError("No train response can be read by both models: give more prompts")
    if measured == "mean norm":
        scales = tuple(own.width**0.5 * own.rows / own.norms for own in moments)
        return Normaliser(tuple(torch.zeros(own.width) for own in moments), scales)
    return Normaliser(
        tuple(own.mean.float() for own in moments),
        tuple((1 / own.deviation.clamp_min(_SMALLEST_DEVIATION)).float() for own in moments),
    )


class _Moments:
    """Sums over the rows of one model."""

    def __init__(self) -> None:
        self.rows = 0
        self.norms = 0.0
        self._sums = torch.zeros(1, dtype=torch.float64)
        self._squares = torch.zeros(1, dtype=torch.float64)

    def add(self, rows: torch.Tensor) -> None:
        """Adds rows x width."""
        self.rows += len(rows)
        self.norms += float(rows.norm(dim=1).sum())
        self._sums = self._sums + rows.sum(0)
        self._squares = self._squares + rows.square().sum(0)

    @property
    def width(self) -> int:
        return len(self._sums)

    @property
    def mean(self) -> torch.Tensor:
        return self._sums / self.rows

    @property
    def deviation(self) -> torch.Tensor:
        return (self._squares / self.rows - self.mean.square()).clamp_min(0).sqrt()
