"""Tables of the terminal. All text from models is shown as text: no markup is read from it."""

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from diffing.types import Estimate, Finding, Report

if TYPE_CHECKING:
    from diffing.estimate import RunEstimate


def findings_table(report: Report) -> Table:
    """One row per finding: what, how much on held-out prompts, and whether it was confirmed."""
    from diffing.outputs.words import names_of, statement

    names = names_of(report)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("", "finding", "method"):
        table.add_column(name, overflow="fold")
    for name in ("net difference %", "accuracy %", "frequency %", "q"):
        table.add_column(name, justify="right")
    for finding in report.findings:
        table.add_row(
            Text("confirmed", style="green") if finding.confirmed else Text("-", style="dim"),
            Text(statement(finding, names)),
            Text(finding.hypothesis.method),
            *_numbers(finding),
        )
    return table


def _numbers(finding: Finding) -> list[Text]:
    heldout = finding.heldout
    net, accuracy, frequency = (
        _points(estimate) for estimate in (heldout.net_difference, heldout.accuracy, heldout.frequency)
    )
    return [Text(net), Text(accuracy), Text(frequency), Text("-" if heldout.q is None else f"{heldout.q:.3g}")]


def _points(estimate: Estimate) -> str:
    """Percent with the interval; `-` where undefined."""
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "-"
    return f"{100 * estimate.value:.0f} [{100 * estimate.low:.0f}, {100 * estimate.high:.0f}]"


def estimate_table(estimated: "RunEstimate") -> RenderableType:
    """Stages with a total, and what was assumed."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("stage", "model"):
        table.add_column(name, overflow="fold")
    for name in ("calls", "tokens read", "tokens written", "dollars", "minutes"):
        table.add_column(name, justify="right")
    for stage in (*estimated.stages, estimated.total):
        table.add_row(
            stage.name,
            Text(stage.model),
            f"{stage.calls:,}",
            f"{stage.prompt_tokens:,}",
            f"{stage.completion_tokens:,}",
            "no price" if stage.usd is None else f"{stage.usd:,.2f}",
            "unknown" if stage.minutes is None else f"{stage.minutes:,.1f}",
            style="bold" if stage.name == "total" else None,
        )
    remarks = [Text(f"Assumed: {line}", style="dim") for line in estimated.assumptions]
    return Group(table, *remarks, *(Text(line, style="yellow") for line in estimated.limits))
