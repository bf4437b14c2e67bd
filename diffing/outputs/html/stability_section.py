"""Collects what the repeats of a run with other seeds say, for the report page.

A stranger may have made the report, so each field of a row is checked by itself, and a row without its numbers is left
out.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from diffing.metrics import wilson
from diffing.outputs.phrasing import one_line, percent, shares, statement
from diffing.report.index import index_of
from diffing.types import Report, Row

REPEATS, HYPOTHESES = "stability", "stability_hypotheses"
"""Names of the report's tables on stability."""
_STATEMENT = 300


@dataclass(frozen=True, slots=True)
class RepeatView:
    """One repeat of the run with another seed."""

    seed: int
    """The seed."""
    confirmed: int
    """The number of hypotheses that the run confirmed, of those that depend on the seed."""
    came_back: int
    """The number of these that the repeat confirmed too."""
    share: str
    """Their share with its 95% interval; a dash if nothing was confirmed."""
    confirmed_in_repeat: int
    """The number of hypotheses that the repeat confirmed."""


@dataclass(frozen=True, slots=True)
class ReturnView:
    """One confirmed hypothesis, and in how many repeats it came back."""

    number: int
    """The number of the finding."""
    statement: str
    """The hypothesis with the models' names."""
    came_back: int
    """The number of repeats in which it came back."""
    repeats: int
    """The number of repeats."""


@dataclass(frozen=True, slots=True)
class StabilityView:
    """What the repeats say about the run."""

    repeats: tuple[RepeatView, ...]
    """The repeats, in order."""
    hypotheses: tuple[ReturnView, ...]
    """The confirmed hypotheses that depend on the seed, those that came back most often first."""


def stability_of(report: Report) -> StabilityView | None:
    """Returns what the repeats say; None if the run was not repeated."""
    repeats = tuple(view for row in report.tables.get(REPEATS, ()) if (view := _repeat(row)))
    return StabilityView(repeats, _returns(report)) if repeats else None


def _repeat(row: Row) -> RepeatView | None:
    names = ("repeated_with", "confirmed", "came_back", "confirmed_in_repeat")
    seed, confirmed, came_back, again = (_whole(row.get(name)) for name in names)
    if seed is None or confirmed is None or came_back is None or again is None or came_back > confirmed:
        return None
    share = wilson(came_back, confirmed)
    told = f"{percent(share.value)} ({shares(share)})" if confirmed else "–"
    return RepeatView(seed, confirmed, came_back, told, again)


def _returns(report: Report) -> tuple[ReturnView, ...]:
    index = index_of(report)
    returned: dict[str, list[bool]] = {}
    for row in report.tables.get(HYPOTHESES, ()):
        hypothesis_id = row.get("hypothesis_id")
        if isinstance(hypothesis_id, str) and hypothesis_id in index.findings:
            returned.setdefault(hypothesis_id, []).append(row.get("came_back") is True)
    views = [_view(report, each, own, index.numbers) for each, own in returned.items()]
    return tuple(sorted(views, key=lambda view: (-view.came_back / view.repeats, view.number)))


def _view(report: Report, hypothesis_id: str, returned: list[bool], numbers: Mapping[str, int]) -> ReturnView:
    index = index_of(report)
    said = one_line(statement(index.findings[hypothesis_id], index.names), _STATEMENT)
    return ReturnView(numbers[hypothesis_id], said, sum(returned), len(returned))


def _whole(value: object) -> int | None:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return value if is_whole and 0 <= value < 2**63 else None  # type: ignore[operator,return-value]
