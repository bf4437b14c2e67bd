"""Simulates runs in which some hypotheses are true, to measure early stopping and the effect of bad judges."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, log

import numpy as np

from diffing.bench.results import estimate_cells
from diffing.estimates import Estimate
from diffing.types import OnProgress, Row, Scalar, Split, ignore_progress
from tests.benchmarks.simulation.counting import ratio
from tests.benchmarks.simulation.rules import Outcome, Rule, full, net_interval, thrift
from tests.benchmarks.simulation.shapes import with_generators
from tests.benchmarks.simulation.worlds import BATCH, INDEPENDENT, JudgeKind, SimulatedJudge, Sizes, Truths, draw


@dataclass(frozen=True, slots=True)
class Mix:
    """The mixture of true and false hypotheses in a run."""

    name: str
    """The mix in words."""
    null: float
    """The share of hypotheses that are false."""
    small: float
    """The share of hypotheses with a true net difference from 0 to `up_to`; the rest are real."""
    up_to: float
    """The largest net difference of the small ones."""


TYPICAL = Mix("typical", null=0.6, small=0.2, up_to=0.01)
"""Four in five are null or tiny."""
MIXES = (TYPICAL, Mix("many small", null=0.4, small=0.4, up_to=0.05), Mix("half real", null=0.4, small=0.1, up_to=0.01))
"""The typical one, and two that are harder for thrift: small differences are easy to miss, real ones must be judged."""


@dataclass(frozen=True, slots=True)
class MixShape:
    """A kind of simulated run."""

    mix: Mix
    """Their hypotheses."""
    hypotheses: int
    """Per run."""
    sizes: Sizes
    """Prompts."""
    judge: JudgeKind = "fair"
    """Who judges."""


def shapes() -> Iterator[MixShape]:
    """Every shape of the benchmark."""
    for sizes in (Sizes(1000, 500), Sizes(300, 150)):
        yield from (MixShape(mix, 60, sizes) for mix in MIXES)
    yield MixShape(TYPICAL, 20, Sizes(1000, 500))
    yield MixShape(TYPICAL, 60, Sizes(1000, 500), "first place")
    yield MixShape(TYPICAL, 60, Sizes(1000, 500), "errs")


def truths(shape: MixShape, rng: np.random.Generator) -> Truths:
    """Hypotheses of one run.

    Nulls and small ones are decided on 3 to 90 % of the prompts (log-uniform); real ones on 5 to 90 %, with an accuracy
    of 0.65 to 1 (uniform).
    """
    count = shape.hypotheses
    sort = rng.random(count)
    small = (sort >= shape.mix.null) & (sort < shape.mix.null + shape.mix.small)
    real = sort >= shape.mix.null + shape.mix.small
    frequency = np.exp(rng.uniform(log(0.03), log(0.9), count))
    frequency[real] = np.exp(rng.uniform(log(0.05), log(0.9), int(real.sum())))
    accuracy = np.full(count, 0.5)
    accuracy[small] = np.minimum(1.0, 0.5 + rng.uniform(0, shape.mix.up_to / 2, int(small.sum())) / frequency[small])
    accuracy[real] = rng.uniform(0.65, 1.0, int(real.sum()))
    return Truths(frequency, accuracy)


@dataclass(frozen=True, slots=True)
class Run:
    """One simulated run under both ways of judging."""

    truths: Truths
    """What holds."""
    full: Outcome
    """With everything judged."""
    thrift: Outcome
    """With thrift."""
    questions: int
    """That thrift asked."""


def simulate(shape: MixShape, runs: int, rng: np.random.Generator) -> Iterator[Run]:
    """Runs of one shape; both ways judge the same data, with a judge that draws anew."""
    prompts: dict[Split, int] = {"train": shape.sizes.train, "heldout": shape.sizes.heldout}
    for _ in range(runs):
        holds = truths(shape, rng)
        truth = {split: draw(holds, number, INDEPENDENT, rng) for split, number in prompts.items()}

        def tested(rule: Rule, truth: dict[Split, np.ndarray] = truth) -> tuple[Outcome, int]:
            judge = SimulatedJudge(shape.judge, truth, rng)
            return rule(judge, shape.sizes, shape.hypotheses), judge.questions

        (everything, _), (thrifty, questions) = tested(full), tested(thrift)
        yield Run(holds, everything, thrifty, questions)


def measure_mix(shape: MixShape, runs: Sequence[Run]) -> Row:
    """Measures what early stopping keeps and saves in the runs of a shape.

    Returns:
        `kept`: of the hypotheses that hold and that full judging confirms, the share that thrift confirms. `kept_all`:
        the same of all that full judging confirms, its false alarms included. `number`: how many thrift confirms for
        each one that full judging confirms. `saved`: share of the questions not asked. `false_*`: false discovery
        rate, the mean over runs of the share of false ones among those confirmed. `power_*`: share confirmed of the
        hypotheses with a true net difference of at least 5 points.
    """
    questions = ceil(shape.hypotheses / BATCH) * (shape.sizes.train + shape.sizes.heldout)
    told: dict[str, Scalar] = {
        "mix": shape.mix.name,
        "judge": shape.judge,
        "hypotheses": shape.hypotheses,
        "train": shape.sizes.train,
        "heldout": shape.sizes.heldout,
    }
    both = [run.full.confirmed & run.thrift.confirmed for run in runs]
    holding = [run.truths.accuracy > 0.5 for run in runs]
    kept = ratio(
        [int((b & h).sum()) for b, h in zip(both, holding, strict=True)],
        [int((run.full.confirmed & h).sum()) for run, h in zip(runs, holding, strict=True)],
    )
    confirmed = [int(run.full.confirmed.sum()) for run in runs]
    told |= estimate_cells("kept", kept)
    told |= estimate_cells("kept_all", ratio([int(b.sum()) for b in both], confirmed))
    told |= estimate_cells("number", ratio([int(run.thrift.confirmed.sum()) for run in runs], confirmed))
    told |= estimate_cells("saved", ratio([1 - run.questions / questions for run in runs], [1] * len(runs)))
    for name in ("full", "thrift"):
        outcomes: list[Outcome] = [getattr(run, name) for run in runs]
        told |= estimate_cells(f"false_{name}", _false_discoveries(outcomes, holding))
        told |= estimate_cells(f"power_{name}", _power(outcomes, [run.truths for run in runs]))
    return told


def _false_discoveries(outcomes: Sequence[Outcome], holding: Sequence[np.ndarray]) -> Estimate:
    each = [
        float((outcome.confirmed & ~holds).sum() / max(1, outcome.confirmed.sum()))
        for outcome, holds in zip(outcomes, holding, strict=True)
    ]
    return ratio(each, [1] * len(each))


def _power(outcomes: Sequence[Outcome], truths: Sequence[Truths]) -> Estimate:
    worth = [each.net >= 0.05 for each in truths]
    found = [int((outcome.confirmed & real).sum()) for outcome, real in zip(outcomes, worth, strict=True)]
    return ratio(found, [int(real.sum()) for real in worth])


def measure_planned_coverage(shape: MixShape, runs: Sequence[Run]) -> list[Row]:
    """How often the interval of the net difference holds the truth, for hypotheses tested and for those confirmed."""
    rows: list[Row] = []
    for judging, which in (("full", "confirmed"), ("thrift", "tested"), ("thrift", "confirmed")):
        hits: list[int] = []
        wholes: list[int] = []
        for run in runs:
            outcome: Outcome = getattr(run, judging)
            chosen = np.flatnonzero(outcome.confirmed if which == "confirmed" else outcome.n > 0).tolist()
            hits.append(sum(_covers(outcome, i, float(run.truths.net[i])) for i in chosen))
            wholes.append(len(chosen))
        rows.append(
            {
                "mix": shape.mix.name,
                "heldout": shape.sizes.heldout,
                "of": f"{judging}, {which}",
                **estimate_cells("coverage", ratio(hits, wholes)),
            }
        )
    return rows


def _covers(outcome: Outcome, i: int, net: float) -> bool:
    interval = net_interval(int(outcome.k_for[i]), int(outcome.k_against[i]), int(outcome.n[i]))
    return interval.low is not None and interval.high is not None and interval.low <= net <= interval.high


def mix_rows(
    runs: int, seed: int, on_progress: OnProgress = ignore_progress
) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """Makes the rows of all shapes: those on early stopping, and those on the coverage of its intervals.

    Args:
        runs: The number of runs of each shape.
        seed: The seed; each shape has its own generator.
        on_progress: Called after every shape.
    """
    rows: list[Row] = []
    covered: list[Row] = []
    for shape, rng in with_generators("mixes", shapes(), (seed, 1000), on_progress):
        made = list(simulate(shape, runs, rng))
        rows.append(measure_mix(shape, made))
        if shape.judge == "fair" and shape.hypotheses == 60:
            covered += measure_planned_coverage(shape, made)
    return tuple(rows), tuple(covered)
