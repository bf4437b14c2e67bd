"""Measures the scale of the models' activations on the first training data, by which all later ones are divided."""

from collections.abc import Callable, Iterable

import torch  # noqa: TID253 - only training a dictionary imports this module
from torch import Tensor  # noqa: TID253

from diffing.errors import SettingError
from diffing.methods.crosscoder.sparse_dictionary import Inputs, Normaliser
from diffing.methods.inside.row_batches import RowBatch

NORMALISER_ROWS = 1_000_000
"""The number of rows that the means and scales are measured on."""


def measure_normaliser(
    batches: Iterable[RowBatch], rows: int, inputs_of: Callable[[Tensor, Tensor], Inputs]
) -> Normaliser:
    """Measures means and scales, on the CPU.

    Args:
        batches: Batches of rows; no more are taken than needed.
        rows: The number of rows; the last batch is taken whole.
        inputs_of: Takes the inputs of a dictionary out of the activations of A and B.

    Raises:
        SettingError: An input is the same at all rows.
    """
    count, sums, squares = 0, [], []
    for batch in batches:
        inputs = [each.to("cpu", torch.float64) for each in inputs_of(batch.a, batch.b)]
        count += len(inputs[0])
        sums.append(tuple(each.sum(0) for each in inputs))
        squares.append(tuple(float(each.square().sum()) for each in inputs))
        if count >= rows:
            break
    means = [torch.stack(each).sum(0) / max(count, 1) for each in zip(*sums, strict=True)]
    norms = [sum(each) / count for each in zip(*squares, strict=True)]
    scales = [_scale(mean, norm) for mean, norm in zip(means, norms, strict=True)]
    return Normaliser(tuple(mean.float() for mean in means), tuple(scales))


def _scale(mean: Tensor, mean_square: float) -> float:
    """Returns the factor that gives centred rows a mean squared norm of 1."""
    variance = mean_square - float(mean.square().sum())
    if not variance > 1e-9 * mean_square:
        raise SettingError(
            "The activations, or their difference, are the same at all rows that were read: expected two different "
            "models and varied texts. Compare other models or read another layer with --depth"
        )
    return float(variance**-0.5)
