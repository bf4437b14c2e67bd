"""Formats the checklist of an example whose differences were planted: what was planted, and as what it was found.

A stranger may have made the report, so the table is bounded and each field of a row is checked by itself.
"""

from dataclasses import dataclass

from diffing.outputs.blocks import block_of
from diffing.outputs.phrasing import one_line
from diffing.report.index import ReportIndex
from diffing.types import Row

TABLE = "planted_checklist"
"""Name of the report's table with the checklist: `planted` in words, `finding` as an id or "", and else a `reason`."""
_MOST, _LENGTH = 100, 300


@dataclass(frozen=True, slots=True)
class PlantedView:
    """One planted difference."""

    planted: str
    """What was planted."""
    number: int | None
    """The number of the confirmed finding that says it; None if there is none."""
    line: int | None
    """The number of the line in which the finding stands; None if the line is folded away, or there is no finding."""
    reason: str
    """Why it was not found; empty if it was."""


def checklist_of(index: ReportIndex) -> tuple[PlantedView, ...]:
    """Returns the checklist of a report in its order; empty if the report has none.

    Args:
        index: The index of the report.
    """
    return tuple(_view(row, index) for row in index.report.tables.get(TABLE, ())[:_MOST])


def _view(row: Row, index: ReportIndex) -> PlantedView:
    planted, reason = (one_line(str(row.get(name) or ""), _LENGTH) for name in ("planted", "reason"))
    finding = str(row.get("finding"))
    number = index.numbers.get(finding)
    if number is None:
        return PlantedView(planted, None, None, reason)
    shown = block_of(index, number) == "differences"
    return PlantedView(planted, number, index.lines[finding][0].number if shown else None, "")
