"""Formats a cell of the tables that compare methods: the value, its interval and its sample size."""

from dataclasses import dataclass

from diffing.bench.results import ResultColumn
from diffing.bench.table_cells import number
from diffing.estimates import Estimate
from diffing.outputs.phrasing import interval, percent, points, shares
from diffing.types import Row, Scalar


@dataclass(frozen=True, slots=True)
class ComparisonCell:
    """The texts of one cell."""

    value: str
    """The number or the text; a dash if it is undefined."""
    interval: str
    """The interval of an estimate; empty if there is none."""
    n: str
    """The sample size of an estimate; empty for other values."""


def cell_of(row: Row, column: ResultColumn) -> ComparisonCell:
    """Formats the cell of a row and a column.

    Args:
        row: A row of a result.
        column: A column of the same result.
    """
    stored, n = row[column.name], row.get(f"{column.name}_n")
    if n is None:
        return ComparisonCell(number(stored, column.unit), "", "")
    value, low, high = (
        _float(each) for each in (stored, row.get(f"{column.name}_low"), row.get(f"{column.name}_high"))
    )
    estimate = Estimate(value, low, high, int(n))
    if column.unit == "%":
        written, ends = percent(value), shares(estimate)
    elif column.unit == "points":
        written, ends = points(value), interval(estimate)
    else:
        written, ends = _decimals(value), f"{_decimals(low)} to {_decimals(high)}"
    if low is None or high is None:
        ends = "" if value is None else "no interval"
    return ComparisonCell(written, ends, f"n {int(n):,}")


def _float(value: Scalar) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _decimals(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}".replace("-", "\N{MINUS SIGN}")
