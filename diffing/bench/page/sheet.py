"""A result as CSV for spreadsheets: a text that a spreadsheet would run is shown as text."""

import csv
import io

from diffing.bench.results import Result
from diffing.types import Scalar

_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
"""How cells begin that spreadsheets take for formulas or commands."""


def render_csv(result: Result) -> str:
    """All columns of the rows, the estimates in four cells each.

    Args:
        result: Any.
    """
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    if result.rows:
        writer.writerow([_safe(key) for key in result.rows[0]])
        writer.writerows([_safe(value) for value in row.values()] for row in result.rows)
    return written.getvalue()


def _safe(value: Scalar) -> Scalar:
    """Numbers as they are; a text that would be run gets the apostrophe that spreadsheets read as "text"."""
    if isinstance(value, str) and value.lstrip(" ").startswith(_RUNS):
        return f"'{value}"
    return value
