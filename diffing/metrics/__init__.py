"""Computes metrics from judgements: rates with 95% intervals, sign tests, and the false discovery rate.

All rates are over readable verdicts. An unreadable verdict is an outcome of its own: it is counted, but in no rate.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType
from typing import TypeAlias

from diffing.estimates import Concentration, Estimate, Metrics
from diffing.metrics.unequal_chances import unequal_sign_test
from diffing.metrics.weights import weighted_benjamini_hochberg
from diffing.types import Finding, Judgement, Side, Verdict, other_side

VerdictKind: TypeAlias = tuple[Verdict, Side | None, float | None]
"""What metrics need of a judgement: its verdict, `per_word` and `chance_a`."""
ALPHA = 0.01
"""The papers' margin between the two shares of verdicts for acceptance."""
FALSE_DISCOVERY_RATE = 0.05
"""At most this share of the confirmed hypotheses is expected to be false."""
Z_95 = 1.959963984540054
"""The 97.5% quantile of the normal distribution, for two-sided 95% intervals."""
UNDEFINED = Estimate(value=None, low=None, high=None, n=0)
"""The estimate for zero observations."""
_KEPT = 10_000
"""Results that are kept: small counts come again and again, and each takes scipy up to a millisecond."""


@lru_cache(_KEPT)
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


@lru_cache(_KEPT)
def sign_test(k_for: int, k_against: int) -> float:
    """Returns the exact one-sided p-value of the sign test: P(at least `k_for`) if both sides are equally likely.

    If no verdict names a side, p is 1 and not undefined: the hypothesis was tested, so it belongs to the family over
    which the false discovery rate is controlled.
    """
    from scipy.stats import binomtest

    decided = k_for + k_against
    return float(binomtest(k_for, decided, 0.5, alternative="greater").pvalue) if decided else 1.0


def benjamini_hochberg(ps: Sequence[float]) -> list[float]:
    """Returns for each p-value the smallest false discovery rate at which it is significant, in the order given.

    Source: Benjamini and Hochberg (1995), Controlling the false discovery rate, JRSS B 57.
    """
    from scipy.stats import false_discovery_control

    return [float(q) for q in false_discovery_control(list(ps), method="bh")] if ps else []


def metrics_of(n: int, k_for: int, k_against: int, unreadable: int = 0) -> Metrics:
    """Computes all metrics from counts. If there are no verdicts at all, p is None: the hypothesis was not tested.

    Args:
        n: The number of readable verdicts.
        k_for: The number of verdicts for the predicted side.
        k_against: The number of verdicts for the other side.
        unreadable: The number of verdicts that could not be read; they are not included in n.

    Raises:
        ValueError: The counts contradict each other.
    """
    decided = k_for + k_against
    if min(k_for, k_against, unreadable, n - decided) < 0:
        raise ValueError(
            f"expected k_for + k_against <= n and no negative count, got {n=} {k_for=} {k_against=} {unreadable=}"
        )
    return Metrics(
        n=n,
        k_for=k_for,
        k_against=k_against,
        unreadable=unreadable,
        frequency=wilson(decided, n),
        accuracy=wilson(k_for, decided),
        net_difference=net_interval(k_for, k_against, n),
        p=sign_test(k_for, k_against) if n + unreadable else None,
    )


def measure(judgements: Iterable[Judgement], direction: Side) -> Metrics:
    """Computes the metrics of one hypothesis on one split.

    If signs were counted (`Judgement.per_word`), p is the largest of three: of the sign tests of the verdicts and of
    the whole responses, and of that of the counts per word with the chances that their lengths bring about. So the
    predicted side must have more in all, and by more than lengths alone explain.

    Args:
        judgements: All verdicts on one hypothesis for the pairs of one split.
        direction: The side the hypothesis predicts.
    """
    return measure_kinds(Counter((each.verdict, each.per_word, each.chance_a) for each in judgements), direction)


def measure_kinds(kinds: Mapping[VerdictKind, int], direction: Side) -> Metrics:
    """Computes what `measure` does from the number of judgements of each kind.

    Args:
        kinds: By verdict, `Judgement.per_word` and `Judgement.chance_a`, the number of judgements.
        direction: The side the hypothesis predicts.
    """
    counts: Counter[Verdict] = Counter()
    for (verdict, _, _), number in kinds.items():
        counts[verdict] += number
    by_side = {"a": counts[Verdict.A], "b": counts[Verdict.B]}
    measured = metrics_of(
        n=counts.total() - counts[Verdict.UNREADABLE],
        k_for=by_side[direction],
        k_against=by_side[other_side(direction)],
        unreadable=counts[Verdict.UNREADABLE],
    )
    if measured.p is None or all(per_word is None for _, per_word, _ in kinds):
        return measured
    return replace(measured, p=max(measured.p, _p_beyond_length(kinds, direction)))


def two_sided_p(kinds: Mapping[VerdictKind, int], direction: Side) -> float:
    """Returns the two-sided p of the test of `measure`; 1 without judgements.

    Args:
        kinds: See `measure_kinds`.
        direction: The side that has more on more pairs.
    """
    p = measure_kinds(kinds, direction).p
    return 1.0 if p is None else min(1.0, 2 * p)


def _p_beyond_length(kinds: Mapping[VerdictKind, int], direction: Side) -> float:
    """Computes the larger p of the tests of whole responses and of counts per word (see `measure`)."""
    whole: Counter[Side] = Counter()
    chances: list[float] = []
    more_per_word = 0
    for (verdict, per_word, chance_a), number in kinds.items():
        if per_word is None:
            continue
        whole[verdict.side or other_side(per_word)] += number
        more_per_word += number * (per_word == direction)
        chance = 0.5 if chance_a is None else chance_a
        # rounded, so that swapping the sides mirrors the result exactly
        chances += [chance if direction == "a" else round(1 - chance, 6)] * number
    return max(sign_test(whole[direction], whole[other_side(direction)]), unequal_sign_test(chances, more_per_word))


def accepted(train: Metrics, alpha: float = ALPHA) -> bool:
    """Applies the papers' criterion: on train, the share for the predicted side exceeds the other share plus alpha.

    The comparison is in floating point, exactly as in the papers' code, so that a margin of exactly alpha is decided
    in the same way.
    """
    return train.n > 0 and train.k_for / train.n > train.k_against / train.n + alpha


def confirm(heldout: Mapping[str, Metrics], weights: Mapping[str, float] = MappingProxyType({})) -> dict[str, Metrics]:
    """Adds q to the metrics: the p-values after Benjamini-Hochberg over the hypotheses that were tested.

    A hypothesis that was futile after the train prompts, and was therefore not tested on held-out prompts, is outside
    the family and has no q. This is valid because train prompts alone decide who is in the family, independently of
    the held-out verdicts that give the p-values.

    Args:
        heldout: The metrics on held-out prompts, by hypothesis id.
        weights: The weights of hypotheses, by id, fixed without looking at the p-values; the mean of those of tested
            hypotheses is 1. A hypothesis without one weighs 1.
    """
    ps = {key: metrics.p for key, metrics in heldout.items() if metrics.p is not None}
    values = list(ps.values())
    adjusted = (
        weighted_benjamini_hochberg(values, [weights.get(key, 1.0) for key in ps])
        if weights
        else benjamini_hochberg(values)
    )
    qs = dict(zip(ps, adjusted, strict=True))
    return {key: replace(metrics, q=qs.get(key)) for key, metrics in heldout.items()}


def confirmed(heldout: Metrics) -> bool:
    """Tells whether held-out prompts confirm a hypothesis: the q that `confirm` computed is at most 0.05."""
    return heldout.q is not None and heldout.q <= FALSE_DISCOVERY_RATE


def concentrated(finding: Finding) -> Concentration | None:
    """Returns the measured scope in which held-out prompts confirm that a confirmed finding is concentrated, if any.

    A finding with a measured scope of its own is concentrated there once it is confirmed.
    """
    own = finding.concentration
    if own is None or not finding.confirmed:
        return None
    return own if own.q is None or own.q <= FALSE_DISCOVERY_RATE else None
