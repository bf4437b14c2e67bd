"""The findings as one flat table with the columns of the dataset's configuration `findings`."""

from typing import TYPE_CHECKING

from diffing.outputs import tables
from diffing.report.store import finding_rows
from diffing.report.tables import our_table
from diffing.types import Report

if TYPE_CHECKING:
    import pyarrow as pa


def findings_table(report: Report) -> "pa.Table":
    """One row per finding in the report's order; its fields say what each column holds.

    Args:
        report: Whose findings they are.
    """
    from pyarrow import BufferReader
    from pyarrow.parquet import read_table

    saved = read_table(BufferReader(our_table("findings", finding_rows(report))))
    return tables.findings_table(report, saved)[0]
