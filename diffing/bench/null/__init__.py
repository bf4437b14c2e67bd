"""Null runs: they compare a model with itself, so everything that they confirm is a false alarm."""

from diffing.bench.null.plan import NullPlan, like_report
from diffing.bench.null.runs import NullRun, null_runs
from diffing.bench.null.table import null_result

__all__ = ["NullPlan", "NullRun", "like_report", "null_result", "null_runs"]
