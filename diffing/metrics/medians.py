"""Computes a median with its exact confidence interval."""

from collections.abc import Sequence
from functools import lru_cache

from diffing.estimates import Estimate
from diffing.metrics import UNDEFINED


def median(values: Sequence[float]) -> Estimate:
    """Estimates the median with its exact binomial 95% interval, whose ends are observations.

    The interval holds for any distribution. Fewer than 6 observations have none; without any, all is undefined.

    Args:
        values: The observations.

    Source: Conover (1999), Practical Nonparametric Statistics, 3.2: confidence interval for a quantile.
    """
    n = len(values)
    if n == 0:
        return UNDEFINED
    ordered = sorted(values)
    value = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    outside = _outside_median(n)
    if outside == 0:
        return Estimate(value=value, low=None, high=None, n=n)
    return Estimate(value=value, low=ordered[outside - 1], high=ordered[n - outside], n=n)


@lru_cache
def _outside_median(n: int) -> int:
    """Returns the largest j for which the j-th smallest and the j-th largest of n enclose the median in 95% of cases.

    That is the largest j with P(fewer than j of n are below the median) < 2.5%; 0 if there is none.
    """
    from scipy.stats import binom

    return int(binom.ppf(0.025, n, 0.5))
