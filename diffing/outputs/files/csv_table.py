"""Writes tables as CSV that spreadsheets open correctly and in which no text acts as a formula.

Excel recognises UTF-8 only by a byte order mark; pandas, polars, R and Python's `utf-8-sig` skip it. Lines end as RFC
4180 says. A text that a spreadsheet would take for a formula gets an apostrophe in front, which stays visible there.
This also applies after a semicolon, because in much of Europe a semicolon separates cells, even within quotation marks
that were meant to hold a cell together.
"""

import csv
import io
import math
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from diffing.types import Scalar
from diffing.visible_text import several_lines

if TYPE_CHECKING:
    import pyarrow as pa

LENGTH = 32_000
"""Maximum number of characters of a text, because Excel breaks cells of more than 32,767 characters into rows."""
_BREAKS = re.compile(r"[\s\ufeff]+")
_FORMULA = re.compile('(^|;)(?=[\\s"\xad\u200b-\u200f\u2060-\u2064]*[-=+@\uff0b\uff0d\uff1d\uff20])')
"""Possible beginning of a cell whose first visible character begins a formula, also as a full-width character."""


def table_as_csv(table: "pa.Table") -> bytes:
    """Encodes a table as CSV.

    Args:
        table: A table of texts, numbers and booleans.
    """
    return rows_as_csv(table.column_names, (list(row.values()) for row in table.to_pylist()))


def rows_as_csv(columns: Sequence[str], rows: Iterable[Sequence[Scalar]]) -> bytes:
    """Encodes rows as CSV: numbers with a decimal point, booleans as TRUE and FALSE, missing values as empty cells.

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
    """Puts a text on one line and makes sure that no spreadsheet takes it for a formula.

    Invisible characters that change the text around them become U+FFFD.

    Args:
        text: Any text.
    """
    line = _BREAKS.sub(" ", several_lines(text)).strip()
    line = line if len(line) <= LENGTH else f"{line[:LENGTH]}…"
    return _FORMULA.sub(r"\1'", line)
