"""Computes metrics with intervals and tests from judgements. Pure; knows no LLM, no method and no file.

All rates are over readable verdicts. An unreadable verdict is its own outcome, counted and left out of every rate.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from diffing.types import Estimate, Judgement, Metrics, Prompt, Side, Verdict, other_side

ALPHA = 0.01
"""The papers' margin on the shares for acceptance."""
FALSE_DISCOVERY_RATE = 0.05
"""At most this share of the confirmed hypotheses is expected to be false."""
Z_95 = 1.959963984540054
"""97.5 % quantile of the normal distribution, for two-sided 95 % intervals."""
UNDEFINED = Estimate(value=None, low=None, high=None, n=0)
"""The estimate that rests on nothing."""


def wilson(k: int, n: int) -> Estimate:
    """Share k / n with Wilson's 95 % score interval; undefined where n is 0.

    Args:
        k: How many of the n had it.
        n: Observations.

    Source: Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22.
    """
    from scipy.stats import binomtest

    if n == 0:
        return UNDEFINED
    interval = binomtest(k, n).proportion_ci(confidence_level=0.95, method="wilson")
    # the interval's ends may miss the share by one rounding error where k is 0 or n
    return Estimate(value=k / n, low=min(float(interval.low), k / n), high=max(float(interval.high), k / n), n=n)


def share_over_groups(counts: Sequence[tuple[int, int]]) -> Estimate:
    """Share k / n summed over groups whose members are not independent, with Wilson's interval at the effective n.

    The variance of the share is that of a ratio over groups, and the effective number of observations is the one at
    which a binomial share has this variance, less what a variance from few groups costs (Student's t). By simulation
    it covers 94-96 % from 25 groups on; with shares above 95 % in strongly alike groups, of which 50 show few
    exceptions, about 90 %.

    Args:
        counts: Per group (a question with several verdicts, a pair) its k and n.

    Source: Korn and Graubard (1998), Confidence intervals for proportions with small expected number of positive
    counts, Survey Methodology 24.
    """
    k, n = sum(own for own, _ in counts), sum(of for _, of in counts)
    if n == 0:
        return UNDEFINED
    share = k / n
    variance = sum((own - share * of) ** 2 for own, of in counts) / n**2
    groups = sum(of > 0 for _, of in counts)
    # with a share of 0 or 1 nothing varies: each group counts once
    effective = share * (1 - share) / (variance * _inflation(groups)) if variance > 0 else groups
    effective = max(1.0, min(n, effective))
    # Wilson's interval as in `wilson`, which takes whole numbers alone: rounding would move the share of few groups
    z2 = Z_95**2
    centre = (share + z2 / (2 * effective)) / (1 + z2 / effective)
    half = (z2 * (share * (1 - share) / effective + z2 / (4 * effective**2))) ** 0.5 / (1 + z2 / effective)
    return Estimate(value=share, low=max(0.0, min(centre - half, share)), high=min(1.0, max(centre + half, share)), n=n)


def _inflation(groups: int) -> float:
    """The factor for a variance that was estimated from a number of groups."""
    from scipy.stats import t

    return groups / (groups - 1) * (float(t.ppf(0.975, groups - 1)) / Z_95) ** 2 if groups > 1 else 1.0


def net_interval(k_for: int, k_against: int, n: int) -> Estimate:
    """(k_for - k_against) / n with Tango's 95 % score interval for the difference of two paired proportions.

    Of the usual intervals this one keeps its coverage best where shares are extreme or decisions few. By enumeration
    it covers 93-97 % for n from 60 to 1,000 once 8 decisions are expected, and more, never less, with fewer.

    Args:
        k_for: Verdicts for one side.
        k_against: Verdicts for the other.
        n: All verdicts, with those for neither.

    Source: Tango (1998), Equivalence test and confidence interval for the difference in proportions for the
    paired-sample design, Statistics in Medicine 17: all differences that the score test does not reject.
    """
    from scipy.optimize import brentq

    if n == 0:
        return UNDEFINED
    value = (k_for - k_against) / n
    # where all verdicts are equal the variance is 0 at the estimate and the limits have a closed form
    z2 = Z_95**2
    if k_for == k_against == 0:
        return Estimate(value=0.0, low=-z2 / (n + z2), high=z2 / (n + z2), n=n)
    if k_for == n:
        return Estimate(value=1.0, low=(n - z2) / (n + z2), high=1.0, n=n)
    if k_against == n:
        return Estimate(value=-1.0, low=-1.0, high=(z2 - n) / (n + z2), n=n)

    def rejection(difference: float) -> float:
        """Score test of `difference`, squared and less its critical value: above 0 where it is rejected."""
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


def sign_test(k_for: int, k_against: int) -> float:
    """Exact one-sided p of the sign test: as many for the predicted side, were both sides as likely.

    Where nothing was decided p is 1, not undefined: it is the probability of seeing at least what was seen, and the
    hypothesis was tested, so it counts in the family over which false discoveries are controlled.
    """
    from scipy.stats import binomtest

    decided = k_for + k_against
    return float(binomtest(k_for, decided, 0.5, alternative="greater").pvalue) if decided else 1.0


def benjamini_hochberg(ps: Sequence[float]) -> list[float]:
    """The smallest false discovery rate at which each p would be called, in the order given.

    Source: Benjamini and Hochberg (1995), Controlling the false discovery rate, JRSS B 57.
    """
    from scipy.stats import false_discovery_control

    return [float(q) for q in false_discovery_control(list(ps), method="bh")] if ps else []


def metrics_of(n: int, k_for: int, k_against: int, unreadable: int = 0) -> Metrics:
    """Metrics from counts. Where no verdict was asked for there is no p: the hypothesis was not tested.

    Args:
        n: Readable verdicts.
        k_for: Verdicts for the predicted side.
        k_against: Verdicts for the other.
        unreadable: Verdicts that could not be read, not among the n.

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
    """Metrics of one hypothesis on one split.

    Args:
        judgements: All verdicts on one hypothesis for the pairs of one split.
        direction: The side the hypothesis predicts.
    """
    counts = Counter(judgement.verdict for judgement in judgements)
    by_side = {"a": counts[Verdict.A], "b": counts[Verdict.B]}
    return metrics_of(
        n=counts.total() - counts[Verdict.UNREADABLE],
        k_for=by_side[direction],
        k_against=by_side[other_side(direction)],
        unreadable=counts[Verdict.UNREADABLE],
    )


def slices(judgements: Iterable[Judgement], prompts: Iterable[Prompt], direction: Side) -> dict[str, Metrics]:
    """Metrics of one hypothesis per domain, in the order of the domains' names; prompts without a domain are in none.

    A slice is for looking: its p is not part of any family, so no slice is confirmed.

    Args:
        judgements: Verdicts on one hypothesis.
        prompts: At least the prompts the verdicts are about.
        direction: The side the hypothesis predicts.
    """
    domains = {prompt.id: prompt.domain for prompt in prompts}
    groups: dict[str, list[Judgement]] = {}
    for judgement in judgements:
        domain = domains[judgement.prompt_id]
        if domain is not None:
            groups.setdefault(domain, []).append(judgement)
    return {domain: measure(groups[domain], direction) for domain in sorted(groups)}


def accepted(train: Metrics, alpha: float = ALPHA) -> bool:
    """The papers' criterion: on train, the share for the predicted side exceeds the share against it plus alpha.

    Compared in floating point exactly as the papers' code does, so that a margin of just alpha falls as it falls there.
    """
    return train.n > 0 and train.k_for / train.n > train.k_against / train.n + alpha


def confirm(heldout: Mapping[str, Metrics]) -> dict[str, Metrics]:
    """The same metrics with q: Benjamini-Hochberg over the hypotheses that were tested.

    One that train left without hope, so that it was not tested on held-out prompts, is outside the family and has no q.
    This is valid since train decided it: the held-out verdicts that make the p are independent of who is in the family.

    Args:
        heldout: Per hypothesis id, its metrics on held-out prompts.
    """
    ps = {key: metrics.p for key, metrics in heldout.items() if metrics.p is not None}
    qs = dict(zip(ps, benjamini_hochberg(list(ps.values())), strict=True))
    return {key: replace(metrics, q=qs.get(key)) for key, metrics in heldout.items()}


def confirmed(heldout: Metrics) -> bool:
    """Whether held-out prompts confirm a hypothesis: q at most 0.05. Needs the q that `confirm` gives."""
    return heldout.q is not None and heldout.q <= FALSE_DISCOVERY_RATE
