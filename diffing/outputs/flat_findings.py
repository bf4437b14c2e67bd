"""Builds one flat table of a report's findings, and encodes tables as parquet."""

import io
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from diffing.metrics import UNDEFINED
from diffing.outputs.behaviour_words import where
from diffing.outputs.level_words import level_of
from diffing.outputs.phrasing import statement
from diffing.report.column_specs import ColumnSpec
from diffing.report.findings_rows import finding_row
from diffing.report.index import index_of
from diffing.report.parquet import our_table, savable
from diffing.report.schema import TABLES, arrow_field
from diffing.types import SIDES, Finding, Place, Report, Scalar

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS_PER_GROUP = 10_000
"""Rows per parquet row group, which keeps groups far below the 100 MB that the Hub's viewer accepts."""

STATEMENT = ColumnSpec("statement", "string", "The hypothesis with the models' names.", nullable=True)
"""The column with the hypothesis in words."""
_LINE = (
    ColumnSpec("leads", "bool", "Whether it leads its line of the list; the card shows these."),
    ColumnSpec("line", "int64", "The number of its line in the list, as every output tells it."),
    ColumnSpec(
        "block",
        "string",
        "The part of the list that its line belongs to: `behaviours`, or one of the folded parts `wording` and "
        "`features`. The confirmed lines of `behaviours` are the report's differences.",
    ),
    ColumnSpec(
        "known_by",
        "string",
        "Why it belongs to its line: `lead`; `property`, `judge` or `verdicts` if it says the same; `kin`, `part`, "
        "`pairs`, `mirror` or `follows` if it is another sign of the same behaviour.",
    ),
    ColumnSpec("where", "string", "Where it shows on held-out prompts, in words; null without a scope.", nullable=True),
)
_LEVEL_KIND = ColumnSpec(
    "level_kind",
    "string",
    "What the levels are: `share` of responses, `median`, or `fits` (the share of pairs in which the judge says that "
    "the model's response shows it); null if they are not known, like the columns below.",
    nullable=True,
)
_PLACES: tuple[tuple[Place, str], ...] = (("all", "all held-out prompts"), ("inside", "the held-out prompts in scope"))


def findings_table(report: Report) -> "pa.Table":
    """Builds the table of findings with each hypothesis in words; its schema describes each column.

    Args:
        report: The report with the findings.
    """
    saved = our_table("findings", (tuple(finding_row(finding).values()) for finding in report.findings))
    names = index_of(report).names
    lines = [_line_cells(report, finding) for finding in report.findings]
    levels = [_level_cells(finding) for finding in report.findings]
    extra: dict[ColumnSpec, list[Any]] = {STATEMENT: [statement(finding, names) for finding in report.findings]}
    extra |= {column: [row[at] for row in lines] for at, column in enumerate(_LINE)}
    extra |= {column: [row[at] for row in levels] for at, column in enumerate((_LEVEL_KIND, *_level_columns()))}
    return with_columns(saved, extra)


def _line_cells(report: Report, finding: Finding) -> tuple[Scalar, ...]:
    index = index_of(report)
    entry, known_by = index.lines[finding.hypothesis.id]
    place = where(finding, index.names)
    return known_by == "lead", entry.number, entry.block, known_by, place


def _level_columns() -> Iterator[ColumnSpec]:
    for place, prompts in _PLACES:
        for side in SIDES:
            name = f"level_{side}" if place == "all" else f"level_{side}_{place}"
            doc = f"Level of model {side.upper()} on {prompts}."
            yield ColumnSpec(name, "float64", doc, nullable=True)
            yield ColumnSpec(f"{name}_low", "float64", "Lower end of its 95% interval.", nullable=True)
            yield ColumnSpec(f"{name}_high", "float64", "Upper end of its 95% interval.", nullable=True)


def _level_cells(finding: Finding) -> list[Scalar]:
    levels = [level_of(finding, place, side) for place, _ in _PLACES for side in SIDES]
    kind = next((level.kind for level in levels if level), None)
    values = (level.value if level else UNDEFINED for level in levels)
    return [kind, *(number for each in values for number in (each.value, each.low, each.high))]


def with_columns(table: "pa.Table", extra: Mapping[ColumnSpec, list[Any]]) -> "pa.Table":
    """Appends columns to a table.

    Args:
        table: The table to extend.
        extra: The values of each new column.
    """
    import pyarrow as pa

    for column, values in extra.items():
        field = arrow_field(column)
        safe = [savable(value) if isinstance(value, str) else value for value in values]
        table = table.append_column(field, pa.array(safe, type=field.type))
    return table


def documented(name: str, extra: Collection[ColumnSpec], without: str = "") -> tuple[tuple[str, str], ...]:
    """Returns names and descriptions of a report table's columns, followed by those of `extra`."""
    own = (column for column in TABLES[name].columns if column.name != without)
    return tuple((column.name, column.doc) for column in (*own, *extra))


def parquet(table: "pa.Table") -> bytes:
    """Encodes a table as a parquet file; the same table always gives the same bytes."""
    from pyarrow.parquet import write_table

    sink = io.BytesIO()
    # content-defined page boundaries: after an update, only the changed parts are uploaded and stored
    write_table(table, sink, compression="zstd", row_group_size=_ROWS_PER_GROUP, use_content_defined_chunking=True)
    return sink.getvalue()
