"""Simulates hypotheses whose train verdicts come from descriptions, which miss many of the pairs that show a behaviour.

Such hypotheses are judged on held-out prompts alone. What early stopping drops because of the descriptions is compared
with full judging on the same data.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffing import metrics
from diffing.bench.results import estimate_cells
from diffing.early_stopping import RunSize, TrainCounts, plan_all, rounds
from diffing.types import OnProgress, Row, Scalar, Split, ignore_progress
from tests.benchmarks.simulation.counting import ratio
from tests.benchmarks.simulation.mixes import MIXES, TYPICAL, Mix, MixShape, truths
from tests.benchmarks.simulation.rules import Outcome, decide, full
from tests.benchmarks.simulation.shapes import with_generators
from tests.benchmarks.simulation.worlds import BATCH, INDEPENDENT, SimulatedJudge, Sizes, Truths, Verdicts, draw

NOTHING = Mix("nothing holds", null=1, small=0, up_to=0)
"""Everything that is confirmed is false."""
RECALL = (0.3, 0.9)
"""The share of the pairs showing a behaviour that a description mentions: uniform, one for each hypothesis."""
SIZES = (Sizes(1000, 500), Sizes(300, 150), Sizes(120, 60), Sizes(60, 40))
"""Runs with descriptions are often small."""


@dataclass(frozen=True, slots=True)
class DescribedRun:
    """One simulated run."""

    truths: Truths
    """What holds."""
    full: Outcome
    """With everything judged on both splits."""
    thrift: Outcome
    """With train verdicts from descriptions."""
    questions: tuple[int, int]
    """Asked by both."""


def described(train: Verdicts, rng: np.random.Generator) -> NDArray[np.int64]:
    """Counts the train verdicts of descriptions, shape (2, hypotheses): what shows is mentioned now and then."""
    recall = rng.uniform(*RECALL, len(train))[:, None]
    seen = np.where(rng.random(train.shape) < recall, train, 0)
    return np.stack([(seen == 1).sum(axis=1), (seen == -1).sum(axis=1)])


def _towards_the_majority(
    holds: Truths, truth: dict[Split, Verdicts], told: NDArray[np.int64]
) -> tuple[Truths, NDArray[np.int64]]:
    """Turns every hypothesis, and the verdicts on it, to the side that more descriptions favour, as the method does."""
    turned = told[1] > told[0]
    for split, verdicts in truth.items():
        truth[split] = np.where(turned[:, None], -verdicts, verdicts)
    accuracy = np.where(turned, 1 - holds.accuracy, holds.accuracy)
    return Truths(holds.frequency, accuracy), np.where(turned, told[::-1], told)


def thrift_of_descriptions(train: NDArray[np.int64], judge: SimulatedJudge, sizes: Sizes, hypotheses: int) -> Outcome:
    """Plans held-out prompts by the counts of descriptions, and judges these alone."""
    known = {i: TrainCounts(int(train[0, i]), int(train[1, i]), sizes.train) for i in range(hypotheses)}
    plans = plan_all(range(hypotheses), RunSize(sizes.train, sizes.heldout, hypotheses, BATCH), _never, known)
    heldout = np.zeros((2, hypotheses), np.int64)
    for active, start, stop in rounds(plans):
        told = judge.ask("heldout", active, start, stop)
        heldout[:, active] += np.stack([(told == sign).sum(axis=1) for sign in (1, -1)])
    n = np.array([plans[i] for i in range(hypotheses)])
    return decide(train, np.full(hypotheses, sizes.train), heldout, n, described=True)


def _never(active: Sequence[int], start: int, stop: int) -> dict[int, TrainCounts]:
    raise AssertionError("train prompts are not judged where descriptions gave the verdicts")


def simulate_described(shape: MixShape, runs: int, rng: np.random.Generator) -> Iterator[DescribedRun]:
    """Runs of one shape; both ways judge the same data."""
    prompts: dict[Split, int] = {"train": shape.sizes.train, "heldout": shape.sizes.heldout}
    for _ in range(runs):
        holds = truths(shape, rng)
        truth = {split: draw(holds, number, INDEPENDENT, rng) for split, number in prompts.items()}
        told = described(truth["train"], rng)
        holds, told = _towards_the_majority(holds, truth, told)
        everything, thrifty = (SimulatedJudge(shape.judge, truth, rng) for _ in range(2))
        outcome = full(everything, shape.sizes, shape.hypotheses)
        less = thrift_of_descriptions(told, thrifty, shape.sizes, shape.hypotheses)
        yield DescribedRun(holds, outcome, less, (everything.questions, thrifty.questions))


def measure_described(shape: MixShape, runs: Sequence[DescribedRun]) -> Row:
    """Measures what is dropped.

    Returns:
        `dropped`: of the hypotheses that hold and that full judging confirms, the share that gets no held-out prompts.
        `dropped_all`: the same of all that full judging confirms, its false alarms included. `kept`: of those that hold
        and that full judging confirms, the share confirmed here. `number`: true ones confirmed
        here for each one that full judging confirms. `saved`: the share of full judging's questions that
        are not asked. `false`: false discovery rate.
    """
    confirmed = [int(run.full.confirmed.sum()) for run in runs]
    holding = [run.truths.accuracy > 0.5 for run in runs]
    futile = [run.full.confirmed & (run.thrift.n == 0) for run in runs]
    dropped = [int((each & h).sum()) for each, h in zip(futile, holding, strict=True)]
    kept = [int((run.full.confirmed & run.thrift.confirmed & h).sum()) for run, h in zip(runs, holding, strict=True)]
    found = [int((run.thrift.confirmed & h).sum()) for run, h in zip(runs, holding, strict=True)]
    true = [int((run.full.confirmed & h).sum()) for run, h in zip(runs, holding, strict=True)]
    false = [
        float((run.thrift.confirmed & ~h).sum() / max(1, run.thrift.confirmed.sum()))
        for run, h in zip(runs, holding, strict=True)
    ]
    told: dict[str, Scalar] = {
        "mix": shape.mix.name,
        "hypotheses": shape.hypotheses,
        "train": shape.sizes.train,
        "heldout": shape.sizes.heldout,
    }
    for name, estimate in {
        "dropped": ratio(dropped, true),
        "dropped_all": ratio([int(each.sum()) for each in futile], confirmed),
        "kept": ratio(kept, true),
        "number": ratio(found, true),
        "saved": ratio([1 - run.questions[1] / run.questions[0] for run in runs], [1] * len(runs)),
        "false": ratio(false, [1] * len(runs)),
    }.items():
        told |= estimate_cells(name, estimate if estimate.n else metrics.UNDEFINED)
    return told


def shapes() -> Iterator[MixShape]:
    """Every shape of the benchmark."""
    for sizes in SIZES:
        mixes: Sequence[Mix] = MIXES if sizes.train == 300 else (TYPICAL,)
        yield from (MixShape(mix, 60, sizes) for mix in mixes)
        yield MixShape(TYPICAL, 10, sizes)
        yield MixShape(NOTHING, 20, sizes)


def described_rows(runs: int, seed: int, on_progress: OnProgress = ignore_progress) -> tuple[Row, ...]:
    """Makes the rows of all shapes of the benchmark.

    Args:
        runs: The number of runs of each shape.
        seed: The seed; each shape has its own generator.
        on_progress: Called after every shape.
    """
    every = with_generators("described", shapes(), (seed, 4000), on_progress)
    return tuple(measure_described(shape, list(simulate_described(shape, runs, rng))) for shape, rng in every)
