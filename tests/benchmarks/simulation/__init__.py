"""Simulates verdicts to check false confirmations, the coverage of intervals, what early stopping saves, and scopes."""

from tests.benchmarks.simulation.results import Part, statistics

__all__ = ["Part", "statistics"]
