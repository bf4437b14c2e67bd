"""Our statistics on simulated verdicts: false confirmations, coverage of intervals, and what thrift keeps and saves."""

from diffing.bench.simulation.results import statistics

__all__ = ["statistics"]
