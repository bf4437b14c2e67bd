"""Simulates verdicts to check false confirmations, the coverage of intervals, and what early stopping saves."""

from tests.benchmarks.simulation.results import statistics

__all__ = ["statistics"]
