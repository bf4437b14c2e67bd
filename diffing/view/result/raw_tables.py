"""The tables of a report as rows of plain text and numbers: searched, sorted, and one page at a time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

from diffing.outputs.html import visible
from diffing.outputs.phrasing import statement
from diffing.report.findings_rows import evidence_rows, finding_row
from diffing.report.index import index_of
from diffing.report.levels_table import level_rows
from diffing.report.schema import TABLES
from diffing.types import SIDES, Report, Scalar
from diffing.view.result.report_cache import OpenedReport

PER_PAGE = 100
"""Number of rows on one page."""
CELL = 400
"""Maximum number of characters of a cell; downloads hold the whole text."""
Cells: TypeAlias = tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class TableQuery:
    """Which rows of which table a visitor wants to see."""

    name: str
    """The name of the table."""
    words: str = ""
    """Words that must all occur in a row."""
    sort: str | None = None
    """The column to sort by; None means the stored order."""
    descending: bool = False
    """Whether the largest value comes first."""
    page: int = 0
    """The index of the page, from 0."""


@dataclass(frozen=True, slots=True)
class TablePage:
    """One page of a table."""

    columns: tuple[str, ...]
    """The names of the columns."""
    numeric: tuple[bool, ...]
    """Whether the page's values in each column are numbers."""
    rows: tuple[Cells, ...]
    """The rows: numbers, and shortened texts without control characters."""
    total: int
    """Number of rows that pass the search."""
    page: int
    """The index of the page, from 0."""

    @property
    def pages(self) -> int:
        """Number of pages, at least one."""
        return max(-(-self.total // PER_PAGE), 1)


@dataclass(frozen=True, slots=True)
class _Source:
    columns: tuple[str, ...]
    count: int
    rows: Callable[[], Iterator[Cells]]


def table_names(report: Report) -> tuple[str, ...]:
    """The tables that are not empty: the report's own, then those of the methods."""
    return tuple(name for name in (*_OWN, *sorted(report.tables)) if _source(report, name).count)


def table_of(opened: OpenedReport, view: TableQuery) -> TablePage:
    """One page of a table; it is empty if there is no such table.

    Args:
        opened: The report.
        view: The query. After the last page comes the last page again.
    """
    source = _source(opened.report, view.name)
    needles = view.words.lower().split()
    if needles or view.sort in source.columns:
        rows = [row for row in source.rows() if not needles or _has(row, needles)]
        if view.sort in source.columns:
            rows = _sorted(rows, source.columns.index(view.sort), view.descending)
        total, page = len(rows), _bounded(view.page, len(rows))
        shown = rows[page * PER_PAGE : (page + 1) * PER_PAGE]
    else:
        total, page = source.count, _bounded(view.page, source.count)
        shown = list(islice(source.rows(), page * PER_PAGE, (page + 1) * PER_PAGE))
    numeric = tuple(_is_numeric([row[at] for row in shown]) for at in range(len(source.columns)))
    return TablePage(
        columns=tuple(visible(column) for column in source.columns),
        numeric=numeric,
        rows=tuple(tuple(_cell(value, number) for value, number in zip(row, numeric, strict=True)) for row in shown),
        total=total,
        page=page,
    )


def _bounded(page: int, rows: int) -> int:
    return min(max(page, 0), max(-(-rows // PER_PAGE) - 1, 0))


def _has(row: Cells, needles: Sequence[str]) -> bool:
    said = "\n".join(value if isinstance(value, str) else str(value) for value in row if value is not None).lower()
    return all(needle in said for needle in needles)


def _sorted(rows: Sequence[Cells], at: int, descending: bool) -> list[Cells]:
    """Sorts numbers before texts; undefined values come last in both directions."""

    def rank(row: Cells) -> tuple[bool, float, str]:
        value = row[at]
        return (True, 0.0, value) if isinstance(value, str) else (False, float(value or 0), "")

    defined = [row for row in rows if row[at] is not None and row[at] == row[at]]  # NaN is not itself
    undefined = [row for row in rows if row[at] is None or row[at] != row[at]]
    return [*sorted(defined, key=rank, reverse=descending), *undefined]


def _is_numeric(values: Sequence[Scalar]) -> bool:
    present = [value for value in values if value is not None]
    return bool(present) and all(isinstance(v, int | float) and not isinstance(v, bool) for v in present)


def _cell(value: Scalar, numeric: bool) -> Scalar:
    if numeric:
        return float(f"{value:.6g}") if isinstance(value, float) else value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    return visible(text if len(text) <= CELL else f"{text[:CELL]} … {len(text) - CELL:,} more characters")


def _source(report: Report, name: str) -> _Source:
    if name in _OWN:
        return _OWN[name](report)
    table = report.tables.get(name, ())
    columns = tuple(table[0]) if table else ()
    return _Source(columns, len(table), lambda: (tuple(row.get(column) for column in columns) for row in table))


def _findings(report: Report) -> _Source:
    names = index_of(report).names

    def rows() -> Iterator[Cells]:
        for finding in report.findings:
            yield statement(finding, names), *finding_row(finding).values()

    columns = ("finding", *(column.name for column in TABLES["findings"].columns))
    return _Source(columns, len(report.findings), rows)


def _pairs(report: Report) -> _Source:
    names = index_of(report).names
    columns = ("prompt id", "split", "domain", "prompt", *(f"response of {names.of(side)}" for side in SIDES))

    def rows() -> Iterator[Cells]:
        for pair in report.pairs:
            prompt = pair.prompt
            yield prompt.id, prompt.split, prompt.domain, prompt.text, pair.a.text, pair.b.text

    return _Source(columns, len(report.pairs), rows)


def _judgements(report: Report) -> _Source:
    columns = (
        "hypothesis id",
        "prompt id",
        "verdict",
        "judge",
        "shown first",
        "reply",
        "in scope",
        "per word",
        "chance a",
    )

    def rows() -> Iterator[Cells]:
        for j in report.judgements:
            yield (
                *(j.hypothesis_id, j.prompt_id, j.verdict.value, j.judge),
                *(j.shown_first, j.reply, j.in_scope, j.per_word, j.chance_a),
            )

    return _Source(columns, len(report.judgements), rows)


def _evidence(report: Report) -> _Source:
    columns = ("hypothesis id", "prompt id", "side", "quote")
    return _Source(
        columns, sum(len(finding.hypothesis.evidence) for finding in report.findings), lambda: evidence_rows(report)
    )


def _levels(report: Report) -> _Source:
    columns = tuple(column.name for column in TABLES["levels"].columns)
    return _Source(columns, sum(len(finding.levels) for finding in report.findings), lambda: level_rows(report))


_OWN: dict[str, Callable[[Report], _Source]] = {
    "findings": _findings,
    "levels": _levels,
    "pairs": _pairs,
    "judgements": _judgements,
    "evidence": _evidence,
}
