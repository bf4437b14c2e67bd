"""Applies the package's own decision rules (full judging and early stopping) to simulated verdicts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from diffing import metrics
from diffing.early_stopping import FIRST_STAGE, RunSize, TrainCounts, plan_all, rounds
from diffing.estimates import Estimate, Metrics
from diffing.metrics.weights import weights
from tests.benchmarks.simulation.worlds import BATCH, SimulatedJudge, Sizes, Verdicts

net_interval = lru_cache(maxsize=1_000_000)(metrics.net_interval)
"""The package's interval; the same counts come up again and again."""
wilson = lru_cache(maxsize=1_000_000)(metrics.wilson)
"""Likewise."""
sign_test = lru_cache(maxsize=1_000_000)(metrics.sign_test)
"""Likewise."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run said of its hypotheses; arrays of shape (hypotheses,)."""

    confirmed: NDArray[np.bool_]
    """Whether held-out prompts confirm each."""
    accepted: NDArray[np.bool_]
    """The papers' criterion on train."""
    k_for: NDArray[np.int64]
    """Held-out verdicts for the predicted side."""
    k_against: NDArray[np.int64]
    """Held-out verdicts for the other."""
    n: NDArray[np.int64]
    """Held-out prompts."""


Rule: TypeAlias = Callable[[SimulatedJudge, Sizes, int], Outcome]
"""`rule(judge, sizes, hypotheses)` runs a test of that many hypotheses."""


def full(judge: SimulatedJudge, sizes: Sizes, hypotheses: int) -> Outcome:
    """Everything is judged."""
    everyone = range(hypotheses)
    train = judge.ask("train", everyone, 0, sizes.train)
    heldout = judge.ask("heldout", everyone, 0, sizes.heldout)
    counts = _counts(heldout)
    return decide(_counts(train), np.full(hypotheses, sizes.train), counts, np.full(hypotheses, sizes.heldout))


def thrift(judge: SimulatedJudge, sizes: Sizes, hypotheses: int) -> Outcome:
    """Judging stops once a hypothesis's fate is clear."""
    if sizes.train <= FIRST_STAGE:
        return full(judge, sizes, hypotheses)
    train, heldout = np.zeros((2, hypotheses), np.int64), np.zeros((2, hypotheses), np.int64)
    judged = np.zeros(hypotheses, np.int64)

    def look(active: Sequence[int], start: int, stop: int) -> dict[int, TrainCounts]:
        train[:, active] += _counts(judge.ask("train", active, start, stop))
        judged[active] = stop
        return {each: TrainCounts(int(train[0, each]), int(train[1, each]), stop) for each in active}

    size = RunSize(sizes.train, sizes.heldout, family=hypotheses, batch=BATCH)
    plans = plan_all(range(hypotheses), size, look)
    for active, start, stop in rounds(plans):
        heldout[:, active] += _counts(judge.ask("heldout", active, start, stop))
    return decide(train, judged, heldout, np.array([plans[each] for each in range(hypotheses)]))


def decide(
    train: NDArray[np.int64],
    judged: NDArray[np.int64],
    heldout: NDArray[np.int64],
    n: NDArray[np.int64],
    *,
    described: bool = False,
) -> Outcome:
    """What the metrics say of counts.

    Args:
        train: Verdicts for and against on train, shape (2, hypotheses).
        judged: Train prompts judged, shape (hypotheses,).
        heldout: As `train`, on held-out prompts.
        n: Held-out prompts judged, shape (hypotheses,).
        described: Whether train verdicts come from descriptions, so that hypotheses are weighed by them.
    """
    tested = {str(i): _bare(*map(int, (n[i], *heldout[:, i]))) for i in range(len(n))}
    weighed = np.flatnonzero(n).tolist() if described else []
    by_train = weights(
        [(int(train[0, i]), int(train[1, i])) for i in weighed],
        [int(heldout[:, i].sum()) for i in weighed],
        metrics.FALSE_DISCOVERY_RATE,
    )
    joint = metrics.confirm(tested, dict(zip(map(str, weighed), by_train, strict=True)))
    confirmed = [metrics.confirmed(each) for each in joint.values()]
    accepted = [metrics.accepted(_bare(*map(int, (judged[i], *train[:, i])))) for i in range(len(n))]
    return Outcome(np.array(confirmed), np.array(accepted), heldout[0], heldout[1], n)


def _bare(n: int, k_for: int, k_against: int) -> Metrics:
    """Metrics without the intervals, which decide nothing."""
    none: Estimate = metrics.UNDEFINED
    return Metrics(n, k_for, k_against, 0, none, none, none, p=sign_test(k_for, k_against) if n else None)


def _counts(verdicts: Verdicts) -> NDArray[np.int64]:
    return np.stack([(verdicts == 1).sum(axis=1), (verdicts == -1).sum(axis=1)])
