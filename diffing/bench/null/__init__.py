"""Null runs compare a model with itself. Whatever they confirm is false, so they show how often a method errs."""

from diffing.bench.null.plan import NullPlan, like_report
from diffing.bench.null.runs import NullRun, null_runs
from diffing.bench.null.table import null_result

__all__ = ["NullPlan", "NullRun", "like_report", "null_result", "null_runs"]
