"""Builds one flat table of a report's findings, and encodes tables as parquet."""

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from diffing.outputs.phrasing import statement
from diffing.report.findings_table import finding_row
from diffing.report.index import index_of
from diffing.report.parquet import our_table, savable
from diffing.report.schema import TABLES
from diffing.types import Report

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS_PER_GROUP = 10_000
"""Rows per parquet row group, which keeps groups far below the 100 MB that the Hub's viewer accepts."""

STATEMENT = ("statement", "The hypothesis with the models' names.")
"""Name and description of the column with the hypothesis in words."""
_LEADS = ("leads", "Whether it speaks for all findings that say the same; the card shows these.")


def findings_table(report: Report) -> "pa.Table":
    """Builds the table of findings with each hypothesis in words; its schema describes each column.

    Args:
        report: The report with the findings.
    """
    saved = our_table("findings", (tuple(finding_row(finding).values()) for finding in report.findings))
    names = index_of(report).names
    leads = {finding.hypothesis.id for finding in index_of(report).leads}
    extra: dict[tuple[str, str], list[Any]] = {
        STATEMENT: [statement(finding, names) for finding in report.findings],
        _LEADS: [finding.hypothesis.id in leads for finding in report.findings],
    }
    return with_columns(saved, extra)


def with_columns(table: "pa.Table", extra: Mapping[tuple[str, str], list[Any]]) -> "pa.Table":
    """Appends columns to a table.

    Args:
        table: The table to extend.
        extra: The values of each new column, by its name and description.
    """
    import pyarrow as pa

    for (name, doc), values in extra.items():
        field = pa.field(name, pa.bool_() if name == _LEADS[0] else pa.string(), metadata={"doc": doc})
        safe = [savable(value) if isinstance(value, str) else value for value in values]
        table = table.append_column(field, pa.array(safe, type=field.type))
    return table


def documented(name: str, extra: Mapping[tuple[str, str], Any], without: str = "") -> tuple[tuple[str, str], ...]:
    """Returns names and descriptions of a report table's columns, followed by those of `extra`."""
    own = ((column.name, column.doc) for column in TABLES[name].columns if column.name != without)
    return (*own, *extra)


def parquet(table: "pa.Table") -> bytes:
    """Encodes a table as a parquet file; the same table always gives the same bytes."""
    from pyarrow.parquet import write_table

    sink = io.BytesIO()
    # content-defined page boundaries: after an update, only the changed parts are uploaded and stored
    write_table(table, sink, compression="zstd", row_group_size=_ROWS_PER_GROUP, use_content_defined_chunking=True)
    return sink.getvalue()
