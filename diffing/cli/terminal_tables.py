"""Builds the list of differences and the table of estimates for the terminal; text from models is never markup."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from diffing.estimates import Estimate
from diffing.outputs.phrasing import one_line
from diffing.report.index import index_of
from diffing.report.model_names import ModelNames
from diffing.types import SIDES, Report

if TYPE_CHECKING:
    from diffing.estimate import RunEstimate
    from diffing.report.grouped_list import ListEntry


WIDE = 120
"""Minimum width of a terminal, in columns, for showing all numbers."""
LENGTH, SHORT = 1_000, 30
"""Maximum number of characters of a text, and of a text in a narrow column."""
MEMBERS = 3
"""Maximum number of the other findings of a line that are shown below it."""
_NAMES = ModelNames("A", "B")


def findings_list(report: Report, width: int, *, most: int | None = None, everything: bool = False) -> RenderableType:
    """Builds the list of confirmed differences: what differs, where, both models' levels, and the net difference.

    Below it stand the number of lines in each folded part and, if it was computed, how much the list explains.

    Args:
        report: The report.
        width: Width of the terminal in columns; a narrow one gets fewer numbers.
        most: Maximum number of differences; None for all.
        everything: Shows the lines of the folded parts too, among them those that are not confirmed.
    """
    from diffing.outputs.blocks import lines_by_block, title_of
    from diffing.outputs.coverage_words import coverage_of_report

    index = index_of(report)
    models = (
        Text(f"{side.upper()}  {one_line(info.id, LENGTH)}")
        for side, info in zip(SIDES, (report.model_a, report.model_b), strict=True)
    )
    parts: list[RenderableType] = [*models]
    for block, entries in lines_by_block(index).items():
        title = title_of(block, index)
        if block == "differences":
            parts += [Text(title, style="bold"), _lines(entries[:most], width)] if entries else []
            if more := len(entries[most:]) if most is not None else 0:
                parts.append(Text(f"and {more} more, see the report", style="dim"))
        elif entries and everything:
            parts += [Text(title, style="bold"), _lines(entries, width)]
        elif entries:
            parts.append(Text(f"{title} (listed by diffing show --all)", style="dim"))
    if coverage := coverage_of_report(report, index.names):
        parts.append(Text(one_line(coverage, LENGTH)))
    return Group(*parts)


def _lines(entries: Iterable["ListEntry"], width: int) -> Table:
    from diffing.outputs.behaviour_words import metrics_shown
    from diffing.outputs.phrasing import probability

    table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("difference", overflow="fold", ratio=1)
    table.add_column("net difference, points", justify="right", no_wrap=width >= WIDE, min_width=16)
    if width >= WIDE:
        table.add_column("q", justify="right", no_wrap=True)
        table.add_column("method", no_wrap=True)
    for entry in entries:
        finding = entry.lead
        cells = [
            Text(_points(metrics_shown(finding).net_difference) if finding.heldout.p is not None else "not tested")
        ]
        if width >= WIDE:
            cells += [Text(probability(finding.heldout.q)), Text(one_line(finding.hypothesis.method, SHORT))]
        table.add_row(Text(str(entry.number)), _said(entry), *cells)
    return table


def _said(entry: "ListEntry") -> Text:
    """Returns the statement of a line and, each below it, what is to be known of it and its other findings."""
    from diffing.outputs.phrasing import line_statement

    text = Text(one_line(line_statement(entry, _NAMES), LENGTH))
    for line in _below(entry):
        text.append(f"\n{one_line(line, LENGTH)}", style="dim")
    return text


def _below(entry: "ListEntry") -> Iterator[str]:
    from diffing.outputs.behaviour_words import where
    from diffing.outputs.count_words import count_caution
    from diffing.outputs.line_words import member_in_words, overall

    if doubt := count_caution(entry.lead):
        yield doubt
    if place := where(entry.lead, _NAMES):
        yield place
    if entry.lead.heldout.p is not None and (levels := overall(entry.lead, _NAMES)):
        yield levels
    others = [member for member in entry.members if member is not entry.opposite]
    for member in others[:MEMBERS]:
        yield f"also: {member_in_words(member, _NAMES)}"
    if more := len(others[MEMBERS:]):
        yield f"also: {more} more"


def _points(net: Estimate) -> str:
    from diffing.outputs.phrasing import points

    if net.value is None:
        return "-"
    span = "" if net.low is None else f" [{points(net.low)}, {points(net.high)}]"
    return f"{points(net.value)}{span}"


def estimate_table(estimated: "RunEstimate") -> RenderableType:
    """Builds a table of the estimated stages with a total, followed by the assumptions."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("stage", "model"):
        table.add_column(name, overflow="fold")
    for name in ("calls", "tokens read", "tokens written", "dollars", "minutes"):
        table.add_column(name, justify="right")
    for stage in (*estimated.stages, estimated.total):
        table.add_row(
            stage.name,
            Text(one_line(stage.model, LENGTH)),
            f"{stage.calls:,}",
            f"{stage.prompt_tokens:,}",
            f"{stage.completion_tokens:,}",
            "no price" if stage.usd is None else f"{stage.usd:,.2f}",
            "unknown" if stage.minutes is None else f"{stage.minutes:,.1f}",
            style="bold" if stage.name == "total" else None,
        )
    remarks = [Text(f"Assumed: {line}", style="dim") for line in estimated.assumptions]
    return Group(table, *remarks, *(Text(line, style="yellow") for line in estimated.limits))
