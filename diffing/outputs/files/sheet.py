"""A table as CSV that spreadsheets open as it is meant, and compute nothing of. Knows no report.

Excel takes a file for UTF-8 by its byte order mark alone; pandas, polars, R and Python's `utf-8-sig` pass over it.
Lines end as RFC 4180 says. A text that a spreadsheet would take for a formula gets an apostrophe in front, which stays
visible there; also where it would only after a semicolon, since in half of Europe that separates cells, and quotation
marks then do not hold a cell together.
"""

import csv
import io
import math
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from diffing.outputs.phrasing import several_lines
from diffing.types import Scalar

if TYPE_CHECKING:
    import pyarrow as pa

LENGTH = 32_000
"""Characters of a text: Excel breaks cells of more than 32,767 into rows."""
_BREAKS = re.compile(r"[\s\ufeff]+")
_FORMULA = re.compile('(^|;)(?=[\\s"\xad\u200b-\u200f\u2060-\u2064]*[-=+@\uff0b\uff0d\uff1d\uff20])')
"""Where a cell may begin whose first sign that is seen begins a formula, also at full width."""


def sheet(table: "pa.Table") -> bytes:
    """The table as CSV.

    Args:
        table: Of texts, numbers and truth values.
    """
    return rows_as_csv(table.column_names, (list(row.values()) for row in table.to_pylist()))


def rows_as_csv(columns: Sequence[str], rows: Iterable[Sequence[Scalar]]) -> bytes:
    """Rows as CSV: numbers as numbers with a point, TRUE and FALSE, and an empty cell for a missing value.

    Args:
        columns: The names of the columns.
        rows: The values of each row, in the order of the columns.
    """
    lines = io.StringIO(newline="")
    writer = csv.writer(lines, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return b"\xef\xbb\xbf" + lines.getvalue().encode()


def _cell(value: Scalar) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, str):
        return safe_text(value)
    return "" if value is None or not math.isfinite(value) else repr(value)


def safe_text(text: str) -> str:
    """A text on one line that no spreadsheet computes; what changes the text around it becomes U+FFFD.

    Args:
        text: Any text.
    """
    line = _BREAKS.sub(" ", several_lines(text)).strip()
    line = line if len(line) <= LENGTH else f"{line[:LENGTH]}…"
    return _FORMULA.sub(r"\1'", line)
