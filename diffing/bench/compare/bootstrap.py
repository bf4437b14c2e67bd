"""Computes the mean of a list of values with a bootstrapped 95% interval."""

from collections.abc import Sequence

from diffing.estimates import Estimate
from diffing.metrics import UNDEFINED

RESAMPLES = 2000
"""The number of samples that the bootstrap draws."""


def mean(values: Sequence[float | None]) -> Estimate:
    """Estimates the mean of the defined values, with a percentile bootstrap interval if there are at least two.

    Args:
        values: One value per hypothesis; None if it is undefined.
    """
    import numpy as np
    from scipy.stats import bootstrap

    defined = [value for value in values if value is not None]
    if not defined:
        return UNDEFINED
    average = float(np.mean(defined))
    if len(defined) < 2:
        return Estimate(average, None, None, len(defined))
    interval = bootstrap(
        (defined,), np.mean, n_resamples=RESAMPLES, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    return Estimate(average, float(interval.low), float(interval.high), len(defined))
