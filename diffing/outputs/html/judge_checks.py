"""What the page says of the judge: the rows of its checks. Knows no markup.

A report may have been made elsewhere, so a row is believed field by field.
"""

from dataclasses import dataclass

from diffing.outputs.phrasing import percent
from diffing.types import Report, Row

TABLE = "judge_checks"
"""The report's table."""
_BEYOND_CHANCE = "beyond chance"
"""What the name of a check says whose value is no share."""


@dataclass(frozen=True, slots=True)
class CheckView:
    """One check."""

    check: str
    """Its name."""
    judge: str
    """Whose."""
    value: str
    """With its interval; a dash where there is none."""
    n: str
    """How many verdicts it rests on; a dash where none."""
    meaning: str
    """In words."""


def checks_of(report: Report) -> tuple[CheckView, ...]:
    """The checks of the judge, in the report's order; none where nothing was judged."""
    return tuple(_view(row) for row in report.tables.get(TABLE, ()))


def _view(row: Row) -> CheckView:
    value, low, high = (_number(row.get(name)) for name in ("value", "low", "high"))
    n = row.get("n")
    if value is None or low is None or high is None:
        told = "–"
    elif _BEYOND_CHANCE in str(row.get("check")):
        told = f"{value:.2f} ({low:.2f} to {high:.2f})"
    else:
        told = f"{percent(value)} ({percent(low)} to {percent(high)})"
    return CheckView(
        check=str(row.get("check")),
        judge=str(row.get("judge")),
        value=told,
        n=f"{n:,}" if isinstance(n, int) and n else "–",
        meaning=str(row.get("meaning")),
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, float | int) else None
