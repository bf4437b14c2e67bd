"""Cells of the tables that compare the methods: written as everywhere in the view, the interval below the value."""

from dataclasses import dataclass

from diffing.bench.results import ResultColumn
from diffing.bench.table_cells import number
from diffing.outputs.phrasing import interval, percent, points, shares
from diffing.types import Estimate, Row, Scalar


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell in words."""

    value: str
    """The number or the text; a dash where it is undefined."""
    interval: str
    """Of an estimate; empty where there is none."""
    n: str
    """What an estimate rests on; empty for what is none."""


def cell_of(row: Row, column: ResultColumn) -> Cell:
    """What stands in a column of a row.

    Args:
        row: Of a result.
        column: Which of its columns.
    """
    told, n = row[column.name], row.get(f"{column.name}_n")
    if n is None:
        return Cell(number(told, column.unit), "", "")
    value, low, high = (_float(each) for each in (told, row.get(f"{column.name}_low"), row.get(f"{column.name}_high")))
    estimate = Estimate(value, low, high, int(n))
    if column.unit == "%":
        written, ends = percent(value), shares(estimate)
    elif column.unit == "points":
        written, ends = points(value), interval(estimate)
    else:
        written, ends = _decimals(value), f"{_decimals(low)} to {_decimals(high)}"
    if low is None or high is None:
        ends = "" if value is None else "no interval"
    return Cell(written, ends, f"n {int(n):,}")


def _float(value: Scalar) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _decimals(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}".replace("-", "\N{MINUS SIGN}")
