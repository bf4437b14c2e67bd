"""Simulates verdicts to measure how often a policy is called kept: with a difference at its limit, and with none.

Every difference is tested by the function that tests those of real reports.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffing import metrics
from diffing.bench.results import BenchmarkResult, ResultColumn, estimate_cells
from diffing.metrics.equivalence import LEVEL, p_below, tango_score
from diffing.types import OnProgress, Row, ignore_progress
from tests.benchmarks.simulation.shapes import with_generators

HELDOUT = (60, 150, 300, 1000)
"""Held-out prompts."""
LIMITS = (0.02, 0.05, 0.1, 0.2)
"""Largest net differences that a rule allows."""
DECIDED = (0.02, 0.2, 0.6)
"""Shares of the prompts with a verdict for a side, beyond those of the difference itself."""
MANY = 10
"""Differences of a policy with several: one of them is at its limit, the others are 0."""
_ABOUT = """How often `diffing check` calls a policy kept, in simulated runs. At the limit: one difference is exactly as
large as its limit allows, so it should be called smaller in at most 5 % of runs. No difference: both models are alike,
and this is the power. With several differences, all of them must be shown to be below the limit; decided is the share
of prompts with a verdict for a side, beyond those that the difference itself brings. Differences are independent."""


@dataclass(frozen=True, slots=True)
class EquivalenceShape:
    """Policies of one kind."""

    differences: int
    """How many differences the policy is about."""
    limit: float
    """The largest net difference that it allows."""
    decided: float
    """The share of prompts with a verdict for a side, beyond those of the difference itself."""
    heldout: int
    """Held-out prompts."""


def shapes() -> Iterator[EquivalenceShape]:
    """Every shape of the benchmark."""
    for number in (1, MANY):
        for heldout in HELDOUT:
            for limit in LIMITS:
                yield from (EquivalenceShape(number, limit, decided, heldout) for decided in DECIDED)


def measure_equivalence(shape: EquivalenceShape, runs: int, rng: np.random.Generator) -> Row:
    """Measures how often policies of one kind are called kept.

    Args:
        shape: The kind.
        runs: The number of simulated runs.
        rng: The random number generator.
    """
    none = np.zeros(shape.differences)
    one = none.copy()
    one[0] = shape.limit
    wrong, power = (metrics.wilson(int(_kept(shape, nets, runs, rng).sum()), runs) for nets in (one, none))
    return {
        "differences": shape.differences,
        "limit": shape.limit,
        "decided": shape.decided,
        "heldout": shape.heldout,
        **estimate_cells("wrong", wrong),
        **estimate_cells("power", power),
    }


def _kept(shape: EquivalenceShape, nets: NDArray[np.float64], runs: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which runs show every difference to be below the limit."""
    against = shape.decided / 2
    kept = np.ones(runs, np.bool_)
    for net in nets:
        shares = (min(net + against, 1 - against), against, max(1 - net - 2 * against, 0.0))
        outcomes, places = np.unique(rng.multinomial(shape.heldout, shares, runs), axis=0, return_inverse=True)
        kept &= _below(outcomes, shape)[places.reshape(-1)]
    return kept


def _below(outcomes: NDArray[np.int64], shape: EquivalenceShape) -> NDArray[np.bool_]:
    """Which outcomes show a difference to be below the limit.

    p grows with the score, so that few outcomes need be tested to know from which score on it is above 5%.
    """
    n, limit = shape.heldout, shape.limit
    scores = np.array([tango_score(k_for, k_against, n, limit) for k_for, k_against, _ in outcomes.tolist()])
    order = np.argsort(scores)

    def is_above(place: int) -> bool:
        k_for, k_against, _ = outcomes[order[place]].tolist()
        return p_below(k_for, k_against, shape.heldout, shape.limit) > LEVEL

    below = np.zeros(len(outcomes), np.bool_)
    below[order[: bisect_left(range(len(outcomes)), True, key=is_above)]] = True
    return below


def equivalence_rows(runs: int, seed: int, on_progress: OnProgress = ignore_progress) -> tuple[Row, ...]:
    """Makes the rows of all shapes of the benchmark.

    Args:
        runs: The number of runs of each shape.
        seed: The seed; each shape has its own generator.
        on_progress: Called after every shape.
    """
    every = with_generators("equivalence", shapes(), (seed, 8000), on_progress)
    return tuple(measure_equivalence(shape, runs, rng) for shape, rng in every)


def equivalence_results(runs: int, *, seed: int, command: str, on_progress: OnProgress) -> dict[str, BenchmarkResult]:
    """Simulates all shapes, and adds the words that explain them.

    Args:
        runs: The number of runs of each shape.
        seed: The seed of all draws.
        command: The command that reproduces the result.
        on_progress: Called after every shape.
    """
    rows = [{"shape": _in_words(row), **row} for row in equivalence_rows(runs, seed, on_progress)]
    columns = (
        ResultColumn("differences", "Differences"),
        ResultColumn("limit", "Limit", "%"),
        ResultColumn("decided", "Decided", "%"),
        ResultColumn("heldout", "Held-out"),
        ResultColumn("wrong", "Called kept at the limit", "%"),
        ResultColumn("power", "Called kept with no difference", "%"),
    )
    title, about = "How often a policy is called kept", " ".join(_ABOUT.split("\n"))
    settings = {"runs": runs, "seed": seed}
    return {
        "statistics-equivalence": BenchmarkResult("statistics", title, command, about, tuple(rows), settings, columns)
    }


def _in_words(row: Row) -> str:
    many = "1 difference" if row["differences"] == 1 else f"{row['differences']} differences"
    return f"{many}, {row['heldout']} held-out"
