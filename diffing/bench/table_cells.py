"""Formats the cells of benchmark results as text, the same for the terminal, Markdown and the page."""

from diffing.bench.results import BenchmarkResult, ResultColumn, Unit
from diffing.outputs.phrasing import percent, points
from diffing.types import Row, Scalar

DASH = "–"
_PARTS = ("_low", "_high", "_n")


def columns_of(result: BenchmarkResult) -> tuple[ResultColumn, ...]:
    """Returns the columns that a result lists; if it lists none, every column of its rows under its own name.

    Args:
        result: The result.
    """
    if result.columns or not result.rows:
        return result.columns
    keys = list(result.rows[0])
    parts = {f"{key}{part}" for key in keys for part in _PARTS}
    return tuple(ResultColumn(key, key.replace("_", " ")) for key in keys if key not in parts)


def cell(row: Row, column: ResultColumn) -> str:
    """Formats a cell: an estimate with its interval, a number with its unit, or text unchanged.

    Args:
        row: A row of a result.
        column: The column to format.
    """
    value = number(row[column.name], column.unit)
    low, high = row.get(f"{column.name}_low"), row.get(f"{column.name}_high")
    if low is None or high is None:
        return value
    return f"{value} [{_end(low, column.unit)}, {_end(high, column.unit)}]"


def observations(row: Row, column: ResultColumn) -> str | None:
    """Formats the number of observations behind an estimate; None if the column holds no estimate."""
    n = row.get(f"{column.name}_n")
    return None if n is None else number(n, "")


def is_number(row: Row, column: ResultColumn) -> bool:
    """Tells whether the cell holds a number, so that it is aligned to the right."""
    value = row[column.name]
    return f"{column.name}_n" in row or (isinstance(value, int | float) and not isinstance(value, bool))


def number(value: Scalar, unit: Unit) -> str:
    """Formats one value: text unchanged, None as a dash, a number with its unit.

    Args:
        value: The value of a cell.
        unit: The unit of its column.
    """
    if value is None:
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in value)
    if unit == "%":
        return _percent(value)
    if unit == "points":
        return points(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def _percent(share: float) -> str:
    """Formats a percentage, with one decimal below 10 and above 90, where error rates and coverages are."""
    scaled = 100 * share
    if 0 < scaled < 9.95 or 90.05 < scaled < 100:
        return f"{scaled:.1f}%" if scaled >= 0.05 and scaled < 99.95 else percent(share)
    return percent(share)


def _end(value: Scalar, unit: Unit) -> str:
    """Formats an end of an interval, without the unit's sign."""
    return number(value, unit).removesuffix("%")
