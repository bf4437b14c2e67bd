"""The findings as one flat table for people, and tables as parquet. Knows no file, repository or output."""

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
"""Far below the 100 MB from which on the Hub's viewer gives up."""

STATEMENT = ("statement", "The hypothesis with the models' names.")
"""A column with the hypothesis in words."""
_LEADS = ("leads", "Whether it speaks for all findings that say the same; the card shows these.")


def findings_table(report: Report) -> "pa.Table":
    """The table of findings with each hypothesis in words; its fields say what each column holds.

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
    """The table with more columns at its end.

    Args:
        table: Any.
        extra: The values by the column's name and what it holds.
    """
    import pyarrow as pa

    for (name, doc), values in extra.items():
        field = pa.field(name, pa.bool_() if name == _LEADS[0] else pa.string(), metadata={"doc": doc})
        safe = [savable(value) if isinstance(value, str) else value for value in values]
        table = table.append_column(field, pa.array(safe, type=field.type))
    return table


def documented(name: str, extra: Mapping[tuple[str, str], Any], without: str = "") -> tuple[tuple[str, str], ...]:
    """The columns of one of a report's tables and what they hold, then those of `extra`."""
    own = ((column.name, column.doc) for column in TABLES[name].columns if column.name != without)
    return (*own, *extra)


def parquet(table: "pa.Table") -> bytes:
    """A table as the bytes of a parquet file; the same table gives the same bytes."""
    from pyarrow.parquet import write_table

    sink = io.BytesIO()
    # pages that end where the content says: after an update only what changed is uploaded and stored
    write_table(table, sink, compression="zstd", row_group_size=_ROWS_PER_GROUP, use_content_defined_chunking=True)
    return sink.getvalue()
