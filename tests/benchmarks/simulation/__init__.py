"""Our statistics on simulated verdicts: false confirmations, coverage of intervals, and what thrift keeps and saves."""

from tests.benchmarks.simulation.results import statistics

__all__ = ["statistics"]
