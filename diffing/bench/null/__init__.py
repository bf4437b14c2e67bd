"""Nulls: diffs where there is no difference. Whatever they confirm is false, so they show a method's own error rate."""

from diffing.bench.null.plan import NullPlan, like_report
from diffing.bench.null.runs import NullRun, null_runs
from diffing.bench.null.table import null_result

__all__ = ["NullPlan", "NullRun", "like_report", "null_result", "null_runs"]
