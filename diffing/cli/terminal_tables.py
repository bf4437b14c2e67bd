"""Builds the tables of findings and estimates for the terminal; text from models is never read as markup."""

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from diffing.estimates import Estimate
from diffing.outputs.phrasing import one_line
from diffing.report.index import index_of
from diffing.types import SIDES, Finding, Report

if TYPE_CHECKING:
    from diffing.estimate import RunEstimate


WIDE = 120
"""Minimum width of a terminal, in columns, for showing all numbers."""
LENGTH, SHORT = 1_000, 30
"""Maximum number of characters of a text, and of a text in a narrow column."""


def findings_table(report: Report, width: int, most: int | None = None) -> RenderableType:
    """Builds a table with one row per entry of the grouped list and its result on held-out prompts.

    Args:
        report: The report with the findings.
        width: Width of the terminal in columns; a narrow one gets fewer numbers.
        most: Maximum number of rows; None for all.
    """
    from diffing.outputs.finding_results import where_it_applies
    from diffing.outputs.phrasing import also_found, statement
    from diffing.report.model_names import Names

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("", no_wrap=True)
    table.add_column("finding", overflow="fold")
    table.add_column("method", no_wrap=True)
    numbers = ("net difference, points", "accuracy %", "frequency %", "q")[: 4 if width >= WIDE else 1]
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=width >= WIDE)
    entries = index_of(report).entries
    for entry in entries[:most]:
        finding = entry.lead
        text = Text(one_line(statement(finding, Names("A", "B")), LENGTH))
        if within := where_it_applies(finding):
            text.append(f"\nwhere it applies: {within}", style="dim")
        if entry.members:
            text.append(f"\n{one_line(f'also found by {also_found(entry)}', LENGTH)}", style="dim")
        table.add_row(
            Text("confirmed", style="green")
            if finding.confirmed
            else Text("not tested" if finding.heldout.p is None else "-", style="dim"),
            text,
            Text(one_line(finding.hypothesis.method, SHORT)),
            *_numbers(finding)[: len(numbers)],
        )
    models = [
        Text(f"{side.upper()}  {one_line(info.id, LENGTH)}")
        for side, info in zip(SIDES, (report.model_a, report.model_b), strict=True)
    ]
    more = len(entries) - len(entries[:most])
    return Group(*models, table, *([Text(f"and {more} more, see the report", style="dim")] if more else []))


def _numbers(finding: Finding) -> list[Text]:
    from diffing.outputs.phrasing import points

    heldout = finding.heldout
    net = "-" if heldout.net_difference.value is None else points(heldout.net_difference.value)
    if heldout.net_difference.low is not None:
        net += f" [{points(heldout.net_difference.low)}, {points(heldout.net_difference.high)}]"
    accuracy, frequency = (_percent(estimate) for estimate in (heldout.accuracy, heldout.frequency))
    return [Text(net), Text(accuracy), Text(frequency), Text("-" if heldout.q is None else f"{heldout.q:.3g}")]


def _percent(estimate: Estimate) -> str:
    """Formats a share and its interval in percent; `-` if it is undefined."""
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "-"
    return f"{100 * estimate.value:.0f} [{100 * estimate.low:.0f}, {100 * estimate.high:.0f}]"


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
