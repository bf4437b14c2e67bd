"""Simulates verdicts on single hypotheses to measure how often the 95% intervals contain the true value."""

import numpy as np

from diffing import metrics
from diffing.bench.results import estimate_cells
from diffing.types import OnProgress, Row, ignore_progress
from tests.benchmarks.simulation.rules import net_interval, wilson
from tests.benchmarks.simulation.shapes import with_generators

FREQUENCIES = (0.02, 0.1, 0.3, 0.6, 0.9)
"""The shares of prompts on which the verdict is for a side."""
ACCURACIES = (0.5, 0.7, 0.95)
"""The shares of these verdicts that are for the predicted side."""
HELDOUT = (60, 250, 1000)
"""The numbers of held-out prompts."""


def coverage_of(frequency: float, accuracy: float, heldout: int, runs: int, rng: np.random.Generator) -> list[Row]:
    """Measures the coverage of the three intervals of one hypothesis.

    Args:
        frequency: The true share of prompts on which the verdict is for a side.
        accuracy: The true share of these verdicts for the predicted side.
        heldout: The number of held-out prompts.
        runs: The number of simulated runs.
        rng: The random number generator.
    """
    shares = (frequency * accuracy, frequency * (1 - accuracy), 1 - frequency)
    counts, times = np.unique(rng.multinomial(heldout, shares, runs), axis=0, return_counts=True)
    truths = {"net difference": frequency * (2 * accuracy - 1), "frequency": frequency, "accuracy": accuracy}
    hits, defined = dict.fromkeys(truths, 0), dict.fromkeys(truths, 0)
    for (k_for, k_against, _), number in zip(counts.tolist(), times.tolist(), strict=True):
        told = {
            "net difference": net_interval(k_for, k_against, heldout),
            "frequency": wilson(k_for + k_against, heldout),
            "accuracy": wilson(k_for, k_for + k_against),
        }
        for name, interval in told.items():
            if interval.low is not None and interval.high is not None:
                defined[name] += number
                hits[name] += number * (interval.low <= truths[name] <= interval.high)
    return [
        {
            "estimate": name,
            "frequency": frequency,
            "accuracy": accuracy,
            "heldout": heldout,
            "decided": round(frequency * heldout, 1),
            **estimate_cells("coverage", metrics.wilson(hits[name], defined[name])),
        }
        for name in truths
    ]


def coverage_rows(runs: int, seed: int, on_progress: OnProgress = ignore_progress) -> tuple[Row, ...]:
    """Makes the rows of all shapes of the benchmark.

    Args:
        runs: The number of runs of each shape.
        seed: The seed; each shape has its own generator.
        on_progress: Called after every shape.
    """
    shapes = [(f, a, n) for n in HELDOUT for f in FREQUENCIES for a in ACCURACIES]
    every = with_generators("coverage", shapes, (seed, 2000), on_progress)
    return tuple(row for (f, a, n), rng in every for row in coverage_of(f, a, n, runs, rng))
