"""Chooses for each latent above which activation it counts as active in a response, on train pairs and without labels.

A latent that fires at all in most responses of both models can still fire strongly in one model's alone. So the
threshold is, of a few, the one at which the models differ most. As several were tried, the p-value on train must be
multiplied by their number; held-out pairs, which had no part in the choice, need no such correction.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from diffing.methods.features.sparse_latents import Latents

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

QUANTILES = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95)
"""The quantiles of a latent's positive largest activations, over the responses of both sides, that are tried."""
TRIED = 1 + len(QUANTILES)
"""The number of thresholds that are tried for each latent; the first is 0, at which every activation counts."""


def choose_thresholds(pairs: Sequence[tuple[Latents, Latents]], latents: int) -> "NDArray[np.float64]":
    """Returns for each latent the threshold with the largest |k_A - k_B| / sqrt(k_A + k_B), McNemar's statistic.

    k_A is the number of pairs in which only A's response exceeds the threshold. Of equally good thresholds the lowest
    is taken, and 0 for a latent that is never active.

    Args:
        pairs: The latents of A's and B's response of each train pair.
        latents: The number of all latents.
    """
    import numpy as np

    latent, values = _largest_activations(pairs, latents)
    candidates = [np.zeros(latents), *_quantiles(latent, values, latents)]
    best, chosen = np.full(latents, -1.0), np.zeros(latents)
    for threshold in candidates:
        a, b = values > threshold[latent]
        only_a = np.bincount(latent, weights=a & ~b, minlength=latents)
        only_b = np.bincount(latent, weights=b & ~a, minlength=latents)
        statistic = np.abs(only_a - only_b) / np.sqrt(np.maximum(only_a + only_b, 1))
        better = statistic > best
        best, chosen = np.where(better, statistic, best), np.where(better, threshold, chosen)
    return chosen


def above(latents: Latents, thresholds: "NDArray[np.float64]") -> Latents:
    """Keeps the latents of a response whose largest activation exceeds their threshold."""
    kept = latents.values > thresholds[latents.indices]
    return Latents(latents.indices[kept], latents.values[kept], latents.tokens)


def _largest_activations(
    pairs: Sequence[tuple[Latents, Latents]], latents: int
) -> "tuple[NDArray[np.int64], NDArray[np.float64]]":
    """Returns a column for each pair and latent that is active in it: the latent, and its values in A and in B."""
    import numpy as np

    if not pairs:
        return np.zeros(0, dtype=np.int64), np.zeros((2, 0))
    keys = [
        np.concatenate([number * latents + pair[side].indices.astype(np.int64) for number, pair in enumerate(pairs)])
        for side in (0, 1)
    ]
    columns = np.union1d(*keys)
    values = np.zeros((2, len(columns)))
    for side in (0, 1):
        values[side, np.searchsorted(columns, keys[side])] = np.concatenate([pair[side].values for pair in pairs])
    return columns % latents, values


def _quantiles(latent: "NDArray[np.int64]", values: "NDArray[np.float64]", latents: int) -> "list[NDArray[np.float64]]":
    """Returns for each quantile the value of every latent: the largest observed one that is not above the quantile."""
    import numpy as np

    of, observed = np.tile(latent, 2)[values.ravel() > 0], values.ravel()[values.ravel() > 0]
    if not len(observed):
        return []
    ordered = observed[np.lexsort((observed, of))]
    counts = np.bincount(of, minlength=latents)
    first = np.cumsum(counts) - counts
    return [
        np.where(counts, ordered[np.minimum(first + (q * (counts - 1)).clip(0).astype(int), len(ordered) - 1)], 0.0)
        for q in QUANTILES
    ]
