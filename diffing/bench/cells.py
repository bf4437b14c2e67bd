"""The columns of a result and its cells in words: the same in the terminal, in Markdown and on the page."""

from diffing.bench.results import Column, Result, Unit
from diffing.outputs.phrasing import percent, points
from diffing.types import Row, Scalar

DASH = "–"
_PARTS = ("_low", "_high", "_n")


def columns_of(result: Result) -> tuple[Column, ...]:
    """The columns that the result names; if it names none, every column of its rows under its own name.

    Args:
        result: Any result.
    """
    if result.columns or not result.rows:
        return result.columns
    keys = list(result.rows[0])
    parts = {f"{key}{part}" for key in keys for part in _PARTS}
    return tuple(Column(key, key.replace("_", " ")) for key in keys if key not in parts)


def cell(row: Row, column: Column) -> str:
    """What stands in a column of a row: an estimate with its interval and n, a number, or a text as it is.

    Args:
        row: Of a result.
        column: Which of its columns.
    """
    value = number(row[column.name], column.unit)
    low, high = row.get(f"{column.name}_low"), row.get(f"{column.name}_high")
    if low is None or high is None:
        return value
    return f"{value} [{_end(low, column.unit)}, {_end(high, column.unit)}]"


def observations(row: Row, column: Column) -> str | None:
    """How many observations an estimate rests on; None where the column is none."""
    n = row.get(f"{column.name}_n")
    return None if n is None else number(n, "")


def is_number(row: Row, column: Column) -> bool:
    """Whether the column holds numbers, which stand on the right."""
    value = row[column.name]
    return f"{column.name}_n" in row or (isinstance(value, int | float) and not isinstance(value, bool))


def number(value: Scalar, unit: Unit) -> str:
    """One value: texts as they are, undefined as a dash, numbers with their unit.

    Args:
        value: Of a cell.
        unit: How its column is shown.
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
    """Per cent with one decimal below 10 and above 90, where error rates and coverages lie."""
    scaled = 100 * share
    if 0 < scaled < 9.95 or 90.05 < scaled < 100:
        return f"{scaled:.1f}%" if scaled >= 0.05 and scaled < 99.95 else percent(share)
    return percent(share)


def _end(value: Scalar, unit: Unit) -> str:
    """An interval's end, without the unit's sign."""
    return number(value, unit).removesuffix("%")
