"""When enough is judged: how many held-out prompts a hypothesis is worth, planned from train verdicts alone.

Judging goes in stages over train prompts. After each, `plan` says that a hypothesis is without hope and gets no
held-out prompts, or how many it gets, or that train has to tell more. Held-out verdicts decide nothing of this, so the
test of a hypothesis is that of a number of held-out prompts fixed beforehand: its sign test and its interval are valid
as they are, and Benjamini-Hochberg runs over the hypotheses tested. Pure: knows counts, no prompt and no LLM.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias, TypeVar

from diffing import metrics

K = TypeVar("K", bound=Hashable)
Look: TypeAlias = Callable[[Sequence[K], int, int], Mapping[K, "Seen"]]
"""`look(active, start, stop)` has the train prompts from `start` up to `stop` judged for those active, and says what
train has shown of each so far."""

FIRST_STAGE = 50
"""Verdicts on train before a hypothesis is looked at; with no more train prompts everything is judged."""
HOPE = 0.8
"""A hypothesis goes on while held-out prompts would confirm it this likely, were it as good as train allows."""
WORTH = 0.2
"""It is tested on all held-out prompts once they would confirm it this likely, were it as bad as train allows: further
train prompts would cost as much and confirm nothing."""
CERTAIN = 0.99
"""It is tested on fewer once these would still confirm it this likely, were it as bad as train allows and nothing else
of the run true."""
TAIL = 0.025
"""What is left out at each end of the range that train allows."""
PRECISION = 0.1
"""Fewer held-out prompts than give the net difference an interval of about plus or minus this are not planned."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What train said of a hypothesis so far."""

    k_for: int
    """Verdicts for the predicted side."""
    k_against: int
    """Verdicts for the other."""
    n: int
    """Train prompts judged, those with unreadable verdicts among them: held-out prompts will have as many."""


def rungs(prompts: int) -> tuple[int, ...]:
    """The numbers of prompts at which judging may stop: 50, 75, 100, 150, 200, 300, 400, ... and all.

    Args:
        prompts: How many there are.
    """
    steps = [size * 2**k // 4 for k in range(prompts.bit_length()) for size in (4 * FIRST_STAGE, 6 * FIRST_STAGE)]
    return (*(step for step in steps if step < prompts), prompts)


def plan_all(hypotheses: Sequence[K], train: int, heldout: int, family: int, look: Look[K]) -> dict[K, int]:
    """How many held-out prompts each hypothesis gets, 0 without hope; has no more of train judged than that takes.

    Args:
        hypotheses: Whatever stands for them.
        train: Train prompts there are.
        heldout: Held-out prompts there are.
        family: Hypotheses of the run, these and others.
        look: Judges.
    """
    plans: dict[K, int] = {}
    start = 0
    for stop in rungs(train):
        active = [each for each in hypotheses if each not in plans]
        if not active:
            break
        seen = look(active, start, stop)
        for each in active:
            planned = plan(seen[each], heldout, family)
            if planned is not None or stop == train:
                plans[each] = heldout if planned is None else planned
        start = stop
    return plans


def rounds(plans: Mapping[K, int]) -> Iterator[tuple[list[K], int, int]]:
    """Who is judged on which held-out prompts, from one up to another: each gets the first ones, up to its number."""
    start = 0
    for stop in sorted(set(plans.values()) - {0}):
        yield [each for each, planned in plans.items() if planned >= stop], start, stop
        start = stop


@lru_cache(maxsize=100_000)
def plan(seen: Seen, heldout: int, family: int) -> int | None:
    """How many held-out prompts a hypothesis gets: 0 where there is no hope, None where train must tell more.

    Args:
        seen: Its verdicts on train.
        heldout: Held-out prompts there are.
        family: Hypotheses of the run: as many could be tested beside it.
    """
    from scipy.special import betaincinv

    decided = seen.k_for + seen.k_against
    worst, best = (float(betaincinv(seen.k_for + 1, seen.k_against + 1, tail)) for tail in (TAIL, 1 - TAIL))
    frequency = (decided + 1) / (seen.n + 2)
    least = float(betaincinv(decided + 1, seen.n - decided + 1, TAIL))
    # the loosest threshold that Benjamini-Hochberg can end at, and the one for a hypothesis that holds alone
    loosest, alone = metrics.FALSE_DISCOVERY_RATE, metrics.FALSE_DISCOVERY_RATE / family
    if power(frequency, best, heldout, loosest) < HOPE:
        return 0
    variance = frequency - (frequency * (2 * worst - 1)) ** 2
    for prompts in rungs(heldout)[:-1]:
        precise = metrics.Z_95 * (variance / prompts) ** 0.5 <= PRECISION
        if precise and power(least, worst, prompts, alone) >= CERTAIN:
            return prompts
    return heldout if power(least, worst, heldout, loosest) >= WORTH else None


def power(frequency: float, accuracy: float, prompts: int, threshold: float) -> float:
    """How likely the sign test reaches a threshold, at the expected number of decided verdicts.

    Args:
        frequency: Share of prompts that are decided.
        accuracy: Share of these that are for the predicted side.
        prompts: Prompts.
        threshold: Of the one-sided p.
    """
    from scipy.special import bdtrc

    decided = round(frequency * prompts)
    needed = _needed(decided, threshold)
    return float(bdtrc(needed - 1, decided, accuracy)) if needed <= decided else 0.0


@lru_cache(maxsize=10_000)
def _needed(decided: int, threshold: float) -> int:
    """The fewest verdicts for, of those decided, at which the sign test's p is at most the threshold."""
    from scipy.stats import binom

    return int(binom.isf(threshold, decided, 0.5)) + 1
