"""Counts shares over simulated runs, with intervals."""

from collections.abc import Sequence

import numpy as np

from diffing import metrics
from diffing.estimates import Estimate


def ratio(parts: Sequence[float], wholes: Sequence[float]) -> Estimate:
    """Estimates the sum of parts over the sum of wholes, with one part and one whole per run as a cluster.

    The variance is that of a ratio over clusters (linearised); the interval's ends are not cut to 0 and 1. The estimate
    is undefined if the wholes are 0.

    Args:
        parts: A count per run, such as the falsely confirmed hypotheses.
        wholes: A count per run, such as all confirmed hypotheses.
    """
    part, whole = np.asarray(parts, float), np.asarray(wholes, float)
    if whole.sum() == 0:
        return metrics.UNDEFINED
    value = float(part.sum() / whole.sum())
    half = metrics.Z_95 * float(np.sqrt(((part - value * whole) ** 2).sum())) / float(whole.sum())
    return Estimate(value=value, low=value - half, high=value + half, n=round(float(whole.sum())))
