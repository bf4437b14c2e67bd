"""Simulates runs in which no hypothesis is true, to measure false confirmations and the papers' rule."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from diffing import metrics
from diffing.bench.results import estimate_cells
from diffing.types import OnProgress, Row, Scalar, Split, ignore_progress
from tests.benchmarks.simulation.counting import ratio
from tests.benchmarks.simulation.rules import Rule, full, thrift
from tests.benchmarks.simulation.shapes import with_generators
from tests.benchmarks.simulation.worlds import INDEPENDENT, Correlation, JudgeKind, SimulatedJudge, Sizes, draw, nulls

RULES: Mapping[str, Rule] = {"full": full, "thrift": thrift}
"""How it is judged."""


@dataclass(frozen=True, slots=True)
class NullShape:
    """Runs of one kind."""

    hypotheses: int
    """Per run."""
    frequency: float
    """Share of prompts on which a hypothesis is decided."""
    sizes: Sizes
    """Prompts."""
    correlation: Correlation = INDEPENDENT
    """Between the hypotheses."""
    judge: JudgeKind = "fair"
    """Who judges."""


CORRELATIONS = (Correlation(0.3), Correlation(0.9), Correlation(0.9, mirrored=True))
"""Some or nearly all verdicts shared; and the latter where every second hypothesis says the opposite."""
FREQUENCIES = (0.02, 0.1, 0.5, 0.9)
"""Shares of prompts decided."""
HELDOUT = (60, 250, 1000)
"""Held-out prompts."""
MIDDLE = Sizes(500, 250)
"""Where hypotheses are correlated, or the judge is bad."""
BAD_JUDGES: tuple[JudgeKind, ...] = ("first place", "errs")
"""One that prefers a place, one that is careless."""


def shapes() -> Iterator[NullShape]:
    """Every shape of the benchmark: train has twice as many prompts as are held out, as by default."""
    for heldout in HELDOUT:
        sizes = Sizes(2 * heldout, heldout)
        for frequency in FREQUENCIES:
            yield NullShape(1, frequency, sizes)
            yield NullShape(10, frequency, sizes)
            yield NullShape(60, frequency, sizes)
    for frequency in FREQUENCIES:
        yield from (NullShape(60, frequency, MIDDLE, correlation) for correlation in CORRELATIONS)
        yield from (NullShape(60, frequency, MIDDLE, judge=kind) for kind in BAD_JUDGES)


def measure_null(shape: NullShape, rules: Mapping[str, Rule], runs: int, rng: np.random.Generator) -> Row:
    """Runs of one shape under several rules, which judge the same data.

    Args:
        shape: Of the runs.
        rules: Decide what is confirmed, by name.
        runs: How many.
        rng: Draws.

    Returns:
        `false_<rule>`: the share of runs that confirm anything; as nothing holds this is their false discovery rate.
        `accepted`: the share of hypotheses that the papers' rule accepts where everything is judged.
    """
    truths = nulls(shape.hypotheses, shape.frequency)
    prompts: dict[Split, int] = {"train": shape.sizes.train, "heldout": shape.sizes.heldout}
    alarms = dict.fromkeys(rules, 0)
    accepted: list[float] = []
    for _ in range(runs):
        truth = {split: draw(truths, number, shape.correlation, rng) for split, number in prompts.items()}
        for name, rule in rules.items():
            outcome = rule(SimulatedJudge(shape.judge, truth, rng), shape.sizes, shape.hypotheses)
            alarms[name] += bool(outcome.confirmed.any())
            if rule is full:
                accepted.append(float(outcome.accepted.sum()))
    told: dict[str, Scalar] = {
        "judge": shape.judge,
        "hypotheses": shape.hypotheses,
        "correlation": shape.correlation.in_words,
        "frequency": shape.frequency,
        "train": shape.sizes.train,
        "heldout": shape.sizes.heldout,
    }
    for name in rules:
        told |= estimate_cells(f"false_{name}", metrics.wilson(alarms[name], runs))
    return told | estimate_cells("accepted", ratio(accepted, [shape.hypotheses] * len(accepted)))


def null_rows(runs: int, seed: int, on_progress: OnProgress = ignore_progress) -> tuple[Row, ...]:
    """Makes the rows of all shapes of the benchmark.

    Args:
        runs: The number of runs of each shape.
        seed: The seed; each shape has its own generator.
        on_progress: Called after every shape.
    """
    every = with_generators("nulls", shapes(), (seed, 0), on_progress)
    return tuple(measure_null(shape, RULES, runs, rng) for shape, rng in every)
