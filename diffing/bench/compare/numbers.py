"""Means over hypotheses, with bootstrapped intervals. Pure; knows no report."""

from collections.abc import Sequence

from diffing.metrics import UNDEFINED
from diffing.types import Estimate

RESAMPLES = 2000
"""Samples that the bootstrap draws."""


def mean(values: Sequence[float | None]) -> Estimate:
    """Mean of what is defined, with a percentile bootstrap interval over the values; none below two of them.

    Args:
        values: One per hypothesis; None where undefined.
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
