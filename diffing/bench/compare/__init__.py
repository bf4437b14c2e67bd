"""Methods compared over any set of reports: the papers' table, who found what the other found, and in which fields."""

from diffing.bench.compare.gather import Group, gather
from diffing.bench.compare.tables import category_result, method_result, overlap_result, same_result

__all__ = ["Group", "category_result", "gather", "method_result", "overlap_result", "same_result"]
