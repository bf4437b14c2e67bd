"""A result as CSV for spreadsheets: a text that a spreadsheet would run is shown as text."""

import csv
import io

from diffing.bench.results import Result
from diffing.outputs.files.sheet import safe_text
from diffing.types import Scalar


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
    return safe_text(value) if isinstance(value, str) else value
