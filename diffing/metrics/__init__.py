"""Computes metrics from judgements: rates with 95% intervals, sign tests, and the false discovery rate.

All rates are over readable verdicts. An unreadable verdict is an outcome of its own: it is counted, but in no rate.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType
from typing import TypeAlias

from diffing.estimates import Concentration, Metrics
from diffing.metrics.intervals import KEPT, UNDEFINED, Z_95, mean_of_halves, net_interval, share_over_groups, wilson
from diffing.metrics.unequal_chances import unequal_sign_test
from diffing.metrics.weights import weighted_benjamini_hochberg
from diffing.types import Finding, Judgement, Side, Verdict, other_side

__all__ = [
    "ALPHA",
    "FALSE_DISCOVERY_RATE",
    "UNDEFINED",
    "Z_95",
    "VerdictKind",
    "accepted",
    "benjamini_hochberg",
    "concentrated",
    "confirm",
    "confirmed",
    "mean_of_halves",
    "measure",
    "measure_kinds",
    "metrics_of",
    "net_interval",
    "share_over_groups",
    "sign_test",
    "two_sided_p",
    "wilson",
]

VerdictKind: TypeAlias = tuple[Verdict, Side | None, float | None]
"""What metrics need of a judgement: its verdict, `per_word` and `chance_a`."""
ALPHA = 0.01
"""The papers' margin between the two shares of verdicts for acceptance."""
FALSE_DISCOVERY_RATE = 0.05
"""At most this share of the confirmed hypotheses is expected to be false."""


@lru_cache(KEPT)
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
