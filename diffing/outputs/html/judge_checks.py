"""Formats the table of checks on the judge, such as its consistency, for the report page.

A stranger may have made the report, so each field of a row is checked by itself.
"""

from dataclasses import dataclass

from diffing.outputs.phrasing import percent
from diffing.types import Report, Row

TABLE = "judge_checks"
"""Name of the report's table with the checks."""


@dataclass(frozen=True, slots=True)
class CheckView:
    """One row of the table."""

    check: str
    """Name of the check."""
    judge: str
    """The judge that was checked."""
    value: str
    """The value with its interval; a dash if it is undefined."""
    n: str
    """The number of verdicts that it rests on; a dash if there are none."""
    meaning: str
    """Explanation of the value."""


def checks_of(report: Report) -> tuple[CheckView, ...]:
    """Returns the checks of the judge in the report's order; empty if the run had no judge."""
    return tuple(_view(row) for row in report.tables.get(TABLE, ()))


def _view(row: Row) -> CheckView:
    value, low, high = (_number(row.get(name)) for name in ("value", "low", "high"))
    n = row.get("n")
    if value is None or low is None or high is None:
        text = "–"
    elif row.get("scale") == "kappa":
        text = f"{value:.2f} ({low:.2f} to {high:.2f})"
    else:
        text = f"{percent(value)} ({percent(low)} to {percent(high)})"
    return CheckView(
        check=str(row.get("check")),
        judge=str(row.get("judge")),
        value=text,
        n=f"{n:,}" if isinstance(n, int) and n else "–",
        meaning=str(row.get("meaning")),
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, float | int) else None
