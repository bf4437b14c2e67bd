"""Decides from a hypothesis's train verdicts on how many held-out prompts an LLM judges it (early stopping).

A judge works through the train prompts in stages. After each stage, `plan` decides for a hypothesis that it is futile
and gets no held-out prompts, or how many it gets, or that more train verdicts are needed. Train verdicts that a method
already has are not judged again. A question holds several hypotheses, so those that would otherwise be dropped fill up
the questions that are asked anyway. Held-out verdicts never influence any of this, so a hypothesis is tested on a
number of held-out prompts fixed beforehand: its sign test and its interval are valid as they are, and
Benjamini-Hochberg runs over the tested hypotheses. The functions here work on counts; they do not depend on prompts or
models.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TypeAlias, TypeVar

from diffing import metrics
from diffing.metrics.weights import may_be_chance

K = TypeVar("K", bound=Hashable)
JudgeTrain: TypeAlias = Callable[[Sequence[K], int, int], Mapping[K, "TrainCounts"]]
"""`judge_train(active, start, stop)` judges the active hypotheses on the train prompts from `start` up to, not
including, `stop`, and returns the counts of all train verdicts on each hypothesis so far."""

FIRST_STAGE = 50
"""Train prompts judged before the first decision; with no more train prompts than this, everything is judged."""
PROMISING_POWER = 0.6
"""A hypothesis is futile if, at the highest frequency and the best accuracy that are consistent with train, the
probability of confirming it on all held-out prompts is lower than this."""
PROMISING_IF_KNOWN = 0.5
"""The same for a hypothesis whose train verdicts a method already has: these name fewer pairs than a judge would."""
WORTHWHILE_POWER = 0.2
"""A hypothesis is tested on all held-out prompts once, at the worst accuracy that is consistent with train, they would
confirm it with this probability: further train prompts would cost as much and confirm nothing."""
CERTAIN_POWER = 0.99
"""A hypothesis is tested on fewer held-out prompts if these would confirm it with this probability even at the worst
accuracy that is consistent with train, and even if every other hypothesis of the run is false."""
TAIL = 0.025
"""Probability cut off at each end of the ranges of accuracies and frequencies that are consistent with train."""
PRECISION = 0.1
"""Enough held-out prompts are planned that the interval of the net difference is at most about plus or minus this."""


@dataclass(frozen=True, slots=True)
class TrainCounts:
    """Counts of the train verdicts on one hypothesis so far."""

    k_for: int
    """Number of verdicts for the predicted side."""
    k_against: int
    """Number of verdicts for the other side."""
    n: int
    """Number of train prompts judged, including unreadable verdicts, which are as frequent on held-out prompts."""


def checkpoints(prompts: int) -> tuple[int, ...]:
    """The numbers of prompts at which judging may stop: 50, 75, 100, 150, 200, 300, 400, ... and all.

    Args:
        prompts: The number of all prompts.
    """
    steps = [size * 2**k // 4 for k in range(prompts.bit_length()) for size in (4 * FIRST_STAGE, 6 * FIRST_STAGE)]
    return (*(step for step in steps if step < prompts), prompts)


@dataclass(frozen=True, slots=True)
class RunSize:
    """The sizes of a run on which plans depend."""

    train: int
    """Number of train prompts."""
    heldout: int
    """Number of held-out prompts."""
    family: int
    """Number of hypotheses of the whole run, judged and others."""
    batch: int
    """Number of hypotheses that one question to the judge holds."""


def plan_all(
    hypotheses: Sequence[K],
    size: RunSize,
    judge_train: JudgeTrain[K],
    known: Mapping[K, TrainCounts] = MappingProxyType({}),
) -> dict[K, int]:
    """Plans on how many held-out prompts each hypothesis is tested: 0 if it is futile.

    Hypotheses are judged on train prompts in stages until each has its plan. A futile one goes on as long as a question
    about others has room for it, in both splits: it costs no further question, and its next verdicts may show more.
    Then those whose known verdicts may be chance get what room is left.

    Args:
        hypotheses: Any hashable values that identify the hypotheses.
        size: The sizes of the run.
        judge_train: Judges hypotheses on a range of train prompts.
        known: The hypotheses that already have verdicts on all train prompts from the method that proposed them. They
            are tested on all held-out prompts unless they are futile or these verdicts may be chance: such verdicts are
            too different from the judge's to promise that fewer prompts suffice.
    """
    counts = dict(known)
    # no judge looks at these again; if each started a question, every coincidence in descriptions would be tested, and
    # Benjamini-Hochberg would ask more of all others
    chance = {each for each, seen in known.items() if may_be_chance(seen.k_for, seen.k_against)}
    plans: dict[K, int | None] = {
        each: 0 if each in chance or futile(counts[each], size.heldout, PROMISING_IF_KNOWN) else size.heldout
        for each in known
    }
    active = [each for each in hypotheses if each not in known]
    start = 0
    for stop in checkpoints(size.train):
        if not active:
            break
        counts |= judge_train(active, start, stop)
        plans |= {each: plan(counts[each], size.heldout, size.family) for each in active}
        active = _still_asked(active, plans, counts, size)
        start = stop
    planned = {each: size.heldout if (number := plans[each]) is None else number for each in hypotheses}
    promises = {each: promise(counts[each], size.heldout) for each in hypotheses}
    first = sorted(hypotheses, key=lambda each: (each in chance, -promises[each]))
    return _filled(planned, first, size.batch)


def _still_asked(
    active: Sequence[K], plans: Mapping[K, int | None], counts: Mapping[K, TrainCounts], size: RunSize
) -> list[K]:
    """The hypotheses of the next stage: the undecided ones, and futile ones as far as their questions have room."""
    undecided = {each for each in active if plans[each] is None}
    dropped = sorted(
        (each for each in active if plans[each] == 0), key=lambda each: -promise(counts[each], size.heldout)
    )
    kept = undecided | set(dropped[: -len(undecided) % size.batch])
    return [each for each in active if each in kept]


def _filled(plans: Mapping[K, int], first: Sequence[K], batch: int) -> dict[K, int]:
    """Raises plans as far as the questions that are asked anyway have room: of futile hypotheses first, then others.

    Args:
        plans: The number of held-out prompts planned for each hypothesis.
        first: All hypotheses, those first that are to get room first.
        batch: Number of hypotheses that one question holds.
    """
    stops = sorted(set(plans.values()) - {0})
    filled = dict(plans)

    def room(stop: int) -> int:
        return -sum(planned >= stop for planned in filled.values()) % batch

    for each in (each for each in first if not plans[each]):
        for stop in stops:
            if not room(stop):
                break
            filled[each] = stop
    for stop in reversed(stops):
        rest = sorted((each for each in filled if 0 < filled[each] < stop), key=lambda each: -filled[each])
        filled |= dict.fromkeys(rest[: room(stop)], stop)
    return filled


def rounds(plans: Mapping[K, int]) -> Iterator[tuple[list[K], int, int]]:
    """Yields which hypotheses to judge on which held-out prompts: `(hypotheses, start, stop)`.

    Every hypothesis is judged on the first held-out prompts, up to its planned number.
    """
    start = 0
    for stop in sorted(set(plans.values()) - {0}):
        yield [each for each, planned in plans.items() if planned >= stop], start, stop
        start = stop


@lru_cache(maxsize=100_000)
def plan(counts: TrainCounts, heldout: int, family: int) -> int | None:
    """On how many held-out prompts to test a hypothesis: 0 if it is futile, None if more train verdicts are needed.

    Args:
        counts: Its verdicts on train.
        heldout: Number of held-out prompts.
        family: Number of hypotheses of the run, which could all be tested beside it.
    """
    from scipy.special import betaincinv

    if futile(counts, heldout):
        return 0
    decided = counts.k_for + counts.k_against
    worst = float(betaincinv(counts.k_for + 1, counts.k_against + 1, TAIL))
    frequency = (decided + 1) / (counts.n + 2)
    least = float(betaincinv(decided + 1, counts.n - decided + 1, TAIL))
    # the loosest threshold at which Benjamini-Hochberg can end, and the one for the only true hypothesis of a run
    loosest, alone = metrics.FALSE_DISCOVERY_RATE, metrics.FALSE_DISCOVERY_RATE / family
    variance = frequency - (frequency * (2 * worst - 1)) ** 2
    for prompts in checkpoints(heldout)[:-1]:
        precise = metrics.Z_95 * (variance / prompts) ** 0.5 <= PRECISION
        if precise and power(least, worst, prompts, alone) >= CERTAIN_POWER:
            return prompts
    return heldout if power(least, worst, heldout, loosest) >= WORTHWHILE_POWER else None


def futile(counts: TrainCounts, heldout: int, promising: float = PROMISING_POWER) -> bool:
    """Tells whether held-out prompts are very unlikely to confirm a hypothesis.

    Args:
        counts: Its verdicts on train.
        heldout: Number of held-out prompts.
        promising: The probability of confirming it below which it is futile.
    """
    return promise(counts, heldout) < promising


@lru_cache(maxsize=100_000)
def promise(counts: TrainCounts, heldout: int) -> float:
    """The probability of confirming a hypothesis on all held-out prompts, if train showed as little as it could.

    It is computed at the highest frequency and the best accuracy that are consistent with train, and at the loosest
    threshold at which Benjamini-Hochberg can end.

    Args:
        counts: Its verdicts on train.
        heldout: Number of held-out prompts.
    """
    from scipy.special import betaincinv

    decided = counts.k_for + counts.k_against
    frequency = float(betaincinv(decided + 1, counts.n - decided + 1, 1 - TAIL))
    accuracy = float(betaincinv(counts.k_for + 1, counts.k_against + 1, 1 - TAIL))
    return power(frequency, accuracy, heldout, metrics.FALSE_DISCOVERY_RATE)


def power(frequency: float, accuracy: float, prompts: int, threshold: float) -> float:
    """The probability that the sign test reaches a threshold, given the expected number of decided verdicts.

    Args:
        frequency: Share of prompts with a verdict for one of the sides.
        accuracy: Share of these verdicts that are for the predicted side.
        prompts: Number of prompts.
        threshold: The largest one-sided p that counts.
    """
    from scipy.special import bdtrc

    decided = round(frequency * prompts)
    needed = _needed(decided, threshold)
    return float(bdtrc(needed - 1, decided, accuracy)) if needed <= decided else 0.0


@lru_cache(maxsize=10_000)
def _needed(decided: int, threshold: float) -> int:
    """The smallest number of verdicts for the predicted side at which the sign test's p is at most the threshold."""
    from scipy.stats import binom

    return int(binom.isf(threshold, decided, 0.5)) + 1
