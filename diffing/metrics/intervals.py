"""Estimates shares, means and net differences with 95% score intervals."""

import math
from collections.abc import Sequence
from functools import lru_cache

from diffing.estimates import Estimate

Z_95 = 1.959963984540054
"""The 97.5% quantile of the normal distribution, for two-sided 95% intervals."""
UNDEFINED = Estimate(value=None, low=None, high=None, n=0)
"""The estimate for zero observations."""
KEPT = 10_000
"""Results that are kept: small counts come again and again, and each takes scipy up to a millisecond."""


@lru_cache(KEPT)
def wilson(k: int, n: int) -> Estimate:
    """Estimates the share k / n with Wilson's 95% score interval; undefined if n is 0.

    Args:
        k: The number of observations that count as successes.
        n: The number of all observations.

    Source: Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22.
    """
    if n == 0:
        return UNDEFINED
    if not 0 <= k <= n:
        raise ValueError(f"expected 0 <= k <= n, got {k=} {n=}")
    # the operations of scipy's binomtest(k, n).proportion_ci in the same order, without the p-value that it computes
    # first: that takes up to a millisecond, and importing scipy.stats a second
    share, twice = k / n, 2 * (n + Z_95**2)
    centre = (2 * n * share + Z_95**2) / twice
    half = Z_95 / twice * math.sqrt(4 * n * share * (1 - share) + Z_95**2)
    # if k is 0 or n, an end of the interval may miss the share by a rounding error
    low, high = 0.0 if k == 0 else min(centre - half, share), 1.0 if k == n else max(centre + half, share)
    return Estimate(value=share, low=low, high=high, n=n)


def share_over_groups(counts: Sequence[tuple[int, int]]) -> Estimate:
    """Estimates the share k / n over groups whose members are not independent; Wilson's interval at the effective n.

    The variance of the share is that of a ratio over groups. The effective number of observations is the number at
    which a binomial share has this variance, reduced by Student's t because a variance from few groups is uncertain.
    In simulations the interval covers 94-96% from 25 groups on; for shares above 95% with strong correlation within
    groups, of which 50 contain only few exceptions, it covers about 90%.

    Args:
        counts: k and n of each group; a group is, for example, a question with several verdicts, or a pair.

    Source: Korn and Graubard (1998), Confidence intervals for proportions with small expected number of positive
    counts, Survey Methodology 24.
    """
    k, n = sum(own for own, _ in counts), sum(of for _, of in counts)
    if n == 0:
        return UNDEFINED
    share = k / n
    variance = sum((own - share * of) ** 2 for own, of in counts) / n**2
    groups = sum(of > 0 for _, of in counts)
    # with a share of 0 or 1 the variance is 0, so each group counts as one observation
    effective = share * (1 - share) / (variance * _inflation(groups)) if variance > 0 else groups
    effective = max(1.0, min(n, effective))
    low, high = _score_interval(share, effective)
    return Estimate(value=share, low=low, high=high, n=n)


def mean_of_halves(total: float, n: int) -> Estimate:
    """Estimates the mean of n observations of 0, 1/2 or 1 by Wilson's interval for a share; undefined if n is 0.

    The interval is too wide rather than too narrow, since an observation of 1/2 varies less than one of 0 or 1.

    Args:
        total: The sum of the observations.
        n: The number of observations.
    """
    if n == 0 or total.is_integer():
        return wilson(int(total), n)
    low, high = _score_interval(total / n, n)
    return Estimate(value=total / n, low=low, high=high, n=n)


def _score_interval(share: float, n: float) -> tuple[float, float]:
    """Returns the ends of Wilson's interval as in `wilson`, but for a share and a number that need not be integers."""
    z2 = Z_95**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = (z2 * (share * (1 - share) / n + z2 / (4 * n**2))) ** 0.5 / (1 + z2 / n)
    return max(0.0, min(centre - half, share)), min(1.0, max(centre + half, share))


def _inflation(groups: int) -> float:
    """Returns the factor by which a variance estimated from this number of groups must be enlarged."""
    from scipy.stats import t

    return groups / (groups - 1) * (float(t.ppf(0.975, groups - 1)) / Z_95) ** 2 if groups > 1 else 1.0


def net_interval(k_for: int, k_against: int, n: int, z: float = Z_95) -> Estimate:
    """Estimates (k_for - k_against) / n with Tango's 95% score interval for the difference of paired proportions.

    Of the usual intervals this one keeps its coverage best if shares are extreme or few verdicts name a side. By
    enumeration it covers 93-97% for n from 60 to 1,000 if at least 8 such verdicts are expected, and more with fewer.

    Args:
        k_for: The number of verdicts for one side.
        k_against: The number of verdicts for the other side.
        n: The number of all verdicts, including those for neither side.
        z: The quantile of the normal distribution that gives the interval its level.

    Source: Tango (1998), Equivalence test and confidence interval for the difference in proportions for the
    paired-sample design, Statistics in Medicine 17: all differences that the score test does not reject.
    """
    from scipy.optimize import brentq

    if n == 0:
        return UNDEFINED
    value = (k_for - k_against) / n
    # if all verdicts are equal, the variance is 0 at the estimate and the limits have a closed form
    z2 = z**2
    if k_for == k_against == 0:
        return Estimate(value=0.0, low=-z2 / (n + z2), high=z2 / (n + z2), n=n)
    if k_for == n:
        return Estimate(value=1.0, low=(n - z2) / (n + z2), high=1.0, n=n)
    if k_against == n:
        return Estimate(value=-1.0, low=-1.0, high=(z2 - n) / (n + z2), n=n)

    def rejection(difference: float) -> float:
        """Squared score statistic of `difference` minus its critical value: positive if the test rejects it."""
        b = -k_for - k_against + (2 * n - k_for + k_against) * difference
        c = -k_against * difference * (1 - difference)
        share_against = (max(b * b - 8 * n * c, 0.0) ** 0.5 - b) / (
            4 * n
        )  # its maximum-likelihood estimate under the difference
        variance = n * (2 * share_against + difference * (1 - difference))
        return float((k_for - k_against - n * difference) ** 2 - z2 * variance)

    low = float(brentq(rejection, -1.0, value, xtol=1e-12))
    high = float(brentq(rejection, value, 1.0, xtol=1e-12))
    return Estimate(value=value, low=low, high=high, n=n)
