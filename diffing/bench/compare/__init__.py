"""Compares methods over any set of reports: how their hypotheses fared, how they overlap, and in which categories."""

from diffing.bench.compare.report_groups import ReportGroup, group_reports
from diffing.bench.compare.tables import category_result, method_result, overlap_result, same_result

__all__ = ["ReportGroup", "category_result", "group_reports", "method_result", "overlap_result", "same_result"]
