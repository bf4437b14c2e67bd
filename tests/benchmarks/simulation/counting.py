"""Counts shares over simulated runs, with intervals."""

from collections.abc import Sequence

import numpy as np

from diffing import metrics
from diffing.types import Estimate


def ratio(parts: Sequence[float], wholes: Sequence[float]) -> Estimate:
    """Sum of parts over sum of wholes, one of each per run; the interval allows for what a run has in common.

    The variance is that of a ratio over clusters (linearised), its ends are not cut to 0 and 1. Undefined where the
    wholes are 0.

    Args:
        parts: Such as the hypotheses confirmed falsely, per run.
        wholes: Such as those confirmed, per run.
    """
    part, whole = np.asarray(parts, float), np.asarray(wholes, float)
    if whole.sum() == 0:
        return metrics.UNDEFINED
    value = float(part.sum() / whole.sum())
    half = metrics.Z_95 * float(np.sqrt(((part - value * whole) ** 2).sum())) / float(whole.sum())
    return Estimate(value=value, low=value - half, high=value + half, n=round(float(whole.sum())))
