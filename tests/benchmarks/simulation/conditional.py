"""Simulates runs whose hypotheses hold for some prompts only: what is in scope is decided first, now and then wrongly.

Whether a prompt is in a hypothesis's scope is decided from the prompt, so the decision is independent of which response
shows more. Outside of what was decided there is no question and no verdict.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from diffing import metrics
from diffing.bench.results import estimate_cells
from diffing.types import OnProgress, Row, Scalar, Split, ignore_progress
from tests.benchmarks.simulation.nulls import RULES
from tests.benchmarks.simulation.rules import Rule
from tests.benchmarks.simulation.shapes import with_generators
from tests.benchmarks.simulation.worlds import (
    BATCH,
    INDEPENDENT,
    Correlation,
    JudgeKind,
    SimulatedJudge,
    Sizes,
    Truths,
    Verdicts,
    draw,
    nulls,
)

Inside: TypeAlias = NDArray[np.bool_]
"""Hypotheses x prompts: whether a prompt was decided to be in scope."""
CONDITIONS = 6
"""The number of different conditions in a run; several hypotheses share one."""


@dataclass(frozen=True, slots=True)
class Deciding:
    """How well scopes are decided."""

    in_words: str
    """For a table."""
    wrong: float = 0.0
    """The share of decisions that are wrong."""
    unreadable: float = 0.0
    """The share of decisions that cannot be read; such a prompt gives no verdict."""


RIGHT = Deciding("right")
"""No mistakes."""
WRONG = Deciding("15 % wrong", wrong=0.15)
"""Careless."""
UNREADABLE = Deciding("15 % wrong, 20 % unreadable", wrong=0.15, unreadable=0.2)
"""Careless, and often in a form that cannot be read."""


@dataclass(frozen=True, slots=True)
class ConditionalShape:
    """Runs of one kind, in which no hypothesis holds in its scope."""

    conditional: float
    """The share of hypotheses that have a condition; the others are about all prompts."""
    applies: float
    """The share of prompts that are in a condition's scope."""
    frequency: float
    """The share of prompts in scope on which a hypothesis is decided."""
    sizes: Sizes
    """Prompts."""
    deciding: Deciding = RIGHT
    """How scopes are decided."""
    holds_outside: bool = False
    """Whether each conditional hypothesis holds for the prompts outside its scope (accuracy 0.9)."""
    correlation: Correlation = INDEPENDENT
    """Between the hypotheses."""
    judge: JudgeKind = "fair"
    """Who judges."""
    hypotheses: int = 60
    """Per run."""


MIDDLE = Sizes(500, 250)
"""Where one thing is varied alone."""


def shapes() -> Iterator[ConditionalShape]:
    """Every shape of the benchmark."""
    for conditional in (0.5, 1.0):
        for sizes in (Sizes(120, 60), MIDDLE):
            for applies in (0.05, 0.3):
                for frequency in (0.1, 0.5, 0.9):
                    yield ConditionalShape(conditional, applies, frequency, sizes)
    for deciding in (WRONG, UNREADABLE):
        yield from (ConditionalShape(0.5, applies, 0.5, MIDDLE, deciding) for applies in (0.05, 0.3))
    yield ConditionalShape(0.5, 0.3, 0.5, MIDDLE, holds_outside=True)
    for correlation in (Correlation(0.9), Correlation(0.9, mirrored=True)):
        yield ConditionalShape(0.5, 0.3, 0.5, MIDDLE, WRONG, correlation=correlation)
    kinds: Sequence[JudgeKind] = ("first place", "errs")
    yield from (ConditionalShape(0.5, 0.3, 0.5, MIDDLE, WRONG, judge=kind) for kind in kinds)
    yield ConditionalShape(0.5, 0.3, 0.5, MIDDLE, WRONG, holds_outside=True)


class ScopedJudge(SimulatedJudge):
    """Is asked about a hypothesis only on prompts that were decided to be in its scope.

    The hypotheses of one prompt are packed into as few questions as possible.
    """

    def __init__(
        self, kind: JudgeKind, truth: dict[Split, Verdicts], inside: Mapping[Split, Inside], rng: np.random.Generator
    ) -> None:
        super().__init__(kind, truth, rng)
        self._inside = inside

    def ask(self, split: Split, active: Sequence[int], start: int, stop: int) -> Verdicts:
        """Verdicts on some hypotheses for the prompts of a split; 0 outside the scope."""
        before = self.questions
        told = super().ask(split, active, start, stop)
        inside = self._inside[split][np.asarray(active, dtype=np.int64), start:stop]
        self.questions = before + int(np.ceil(inside.sum(axis=0) / BATCH).sum())
        return np.where(inside, told, 0).astype(np.int8)


def conditional_world(
    shape: ConditionalShape, truths: Truths, prompts: int, rng: np.random.Generator
) -> tuple[Verdicts, Inside]:
    """What is true of every prompt, and what was decided about scopes.

    Args:
        shape: Of the run.
        truths: Of the hypotheses in their scopes.
        prompts: How many.
        rng: Draws.

    Returns:
        Verdicts of a judge that makes no mistake on every prompt, in scope or not; and which are decided to be in it.
    """
    count = shape.hypotheses
    has_condition = np.arange(count) < round(shape.conditional * count)
    meets = (rng.random((CONDITIONS, prompts)) < shape.applies)[np.arange(count) % CONDITIONS]
    wrong = (rng.random((CONDITIONS, prompts)) < shape.deciding.wrong)[np.arange(count) % CONDITIONS]
    readable = (rng.random(prompts) >= shape.deciding.unreadable)[None, :]
    inside = np.where(has_condition[:, None], (meets ^ wrong) & readable, True)
    verdicts = draw(truths, prompts, shape.correlation, rng)
    if shape.holds_outside:
        outside = draw(Truths(truths.frequency, np.full(count, 0.9)), prompts, INDEPENDENT, rng)
        verdicts = np.where(has_condition[:, None] & ~meets, outside, verdicts).astype(np.int8)
    return verdicts, inside


def measure_conditional(shape: ConditionalShape, rules: Mapping[str, Rule], runs: int, rng: np.random.Generator) -> Row:
    """Counts the runs of one shape that confirm anything, under several rules that judge the same data.

    Args:
        shape: Of the runs.
        rules: Decide what is confirmed, by name.
        runs: How many.
        rng: Draws.
    """
    truths = nulls(shape.hypotheses, shape.frequency)
    alarms = dict.fromkeys(rules, 0)
    prompts: dict[Split, int] = {"train": shape.sizes.train, "heldout": shape.sizes.heldout}
    for _ in range(runs):
        worlds = {split: conditional_world(shape, truths, number, rng) for split, number in prompts.items()}
        verdicts = {split: world[0] for split, world in worlds.items()}
        inside = {split: world[1] for split, world in worlds.items()}
        for name, rule in rules.items():
            outcome = rule(ScopedJudge(shape.judge, verdicts, inside, rng), shape.sizes, shape.hypotheses)
            alarms[name] += bool(outcome.confirmed.any())
    told: dict[str, Scalar] = {
        "judge": shape.judge,
        "conditional": shape.conditional,
        "applies": shape.applies,
        "frequency": shape.frequency,
        "scopes": shape.deciding.in_words,
        "outside": "holds" if shape.holds_outside else "does not hold",
        "correlation": shape.correlation.in_words,
        "train": shape.sizes.train,
        "heldout": shape.sizes.heldout,
    }
    for name in rules:
        told |= estimate_cells(f"false_{name}", metrics.wilson(alarms[name], runs))
    return told


def conditional_rows(runs: int, seed: int, on_progress: OnProgress = ignore_progress) -> tuple[Row, ...]:
    """Makes the rows of all shapes of the benchmark.

    Args:
        runs: The number of runs of each shape.
        seed: The seed; each shape has its own generator.
        on_progress: Called after every shape.
    """
    every = with_generators("conditional", shapes(), (seed, 3000), on_progress)
    return tuple(measure_conditional(shape, RULES, runs, rng) for shape, rng in every)
