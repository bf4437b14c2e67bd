"""Measures how well a sparse dictionary describes activations: explained variance, latents needed, and dead latents."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch  # noqa: TID253 - only reading a dictionary imports this module

from diffing.methods.crosscoder.dictionary import Crosscoder
from diffing.methods.crosscoder.difference_dictionary import DifferenceDictionary
from diffing.methods.crosscoder.latent_facts import DENSE_SHARE
from diffing.methods.inside.row_batches import RowBatch


@dataclass(frozen=True, slots=True)
class DictionaryQuality:
    """How well a dictionary describes rows."""

    rows: int
    """The number of rows; without any, everything else is 0 or None."""
    fve: tuple[float | None, ...]
    """The fraction of variance explained, of A and of B, or of their difference; None if nothing varies."""
    l0: float
    """The mean number of active latents per row."""
    dead: float
    """The share of latents that are active at no row."""
    dense: float
    """The share of latents that are active at more than a tenth of the rows."""


def quality(dictionary: Crosscoder | DifferenceDictionary, batches: Iterable[RowBatch]) -> DictionaryQuality:
    """Reads all rows once and measures how well they are described."""
    device = dictionary.weights.bias.device
    count = 0
    active = torch.zeros(dictionary.latents, dtype=torch.int64, device=device)
    sums = [torch.zeros(len(mean), dtype=torch.float64, device=device) for mean in dictionary.normaliser.means]
    squares, errors = [0.0] * len(sums), [0.0] * len(sums)
    for batch in batches:
        inputs = dictionary.normaliser(dictionary.inputs(batch.a, batch.b))
        activations = dictionary.activations(batch.a, batch.b)
        count += len(activations)
        active += (activations > 0).sum(0)
        for place, (each, output) in enumerate(zip(inputs, dictionary.decode(activations), strict=True)):
            sums[place] += each.double().sum(0)
            squares[place] += float(each.double().square().sum())
            errors[place] += float((each - output).double().square().sum())
    variances = [
        square - float(total.square().sum()) / max(count, 1) for square, total in zip(squares, sums, strict=True)
    ]
    return DictionaryQuality(
        rows=count,
        fve=tuple(1 - error / all_ if all_ > 0 else None for error, all_ in zip(errors, variances, strict=True)),
        l0=float(active.sum()) / max(count, 1),
        dead=float((active == 0).double().mean()) if count else 0.0,
        dense=float((active > DENSE_SHARE * count).double().mean()) if count else 0.0,
    )
