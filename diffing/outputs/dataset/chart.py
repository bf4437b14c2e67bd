"""The forest plot as a static SVG image for the card: no script, no font, no request. Knows no file."""

import textwrap
from dataclasses import dataclass
from importlib.resources import files

from diffing.outputs.figures import COLOURS
from diffing.outputs.html.page import places
from diffing.outputs.words import one_line, sentence, statement
from diffing.report.index import index_of
from diffing.report.names import Names
from diffing.types import Finding, Report, Side

ROWS = 15
"""Findings drawn, the first of the merged list."""
_LEFT, _PLOT, _RIGHT = 400, 420, 20
"""Pixels: the labels, the plot, and what is right of it."""
_TOP, _ROW = 34, 40
_LABEL, _NAME = 96, 40
"""Characters of a label, on two lines, and of a model's name."""
_TEXT = "#808790"


@dataclass(frozen=True, slots=True)
class _Row:
    """One finding, in pixels."""

    y: float
    lines: list[str]
    told: str
    side: Side
    colour: str
    confirmed: bool
    low: float
    value: float
    high: float


def chart(report: Report) -> bytes | None:
    """Net differences with their intervals, A's side left, at most `ROWS` of them; None where there is nothing to draw.

    Args:
        report: Its merged list is drawn in its order.
    """
    from jinja2 import Environment, StrictUndefined

    names = index_of(report).names
    drawn = [each for each in index_of(report).leads if each.heldout.net_difference.value is not None][:ROWS]
    if not drawn:
        return None
    reach = _reach(drawn)
    step = 25 if reach > 50 else 10
    ticks = [(_x(50 + 50 * tick / reach), str(abs(tick))) for tick in range(-100, 101, step) if abs(tick) <= reach]
    rows = [row for place, each in enumerate(drawn) if (row := _row(place, each, names, reach)) is not None]
    bottom = _TOP + _ROW * len(drawn)
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(files(__package__).joinpath("chart.svg.jinja").read_text(encoding="utf-8"))
    shown = Names(one_line(names.a, _NAME), one_line(names.b, _NAME))
    return template.render(
        title=f"How {shown.a} and {shown.b} differ",
        names=shown, rows=rows, ticks=ticks, text=_TEXT, left=_LEFT, plot=_PLOT,
        width=_LEFT + _PLOT + _RIGHT, bottom=bottom, height=bottom + 46,
    ).encode()  # fmt: skip


def _row(place: int, finding: Finding, names: Names, reach: int) -> _Row | None:
    direction = finding.hypothesis.direction
    at = places(finding.heldout.net_difference, direction, reach / 100)
    if at is None:
        return None
    low, value, high = map(_x, at)
    return _Row(
        y=_TOP + _ROW * (place + 0.5),
        lines=textwrap.wrap(one_line(statement(finding, names), _LABEL), _LABEL // 2 + 4)[:2] or [""],
        told=one_line(sentence(finding, names), 400),
        side=direction,
        colour=COLOURS[direction],
        confirmed=finding.confirmed,
        low=low,
        value=value,
        high=high,
    )


def _x(place: float) -> float:
    """From 0 to 100 to pixels."""
    return round(_LEFT + _PLOT * place / 100, 1)


def _reach(drawn: list[Finding]) -> int:
    """How far the axis goes to both sides, in points: to the widest interval, rounded up."""
    nets = [finding.heldout.net_difference for finding in drawn]
    widest = max((abs(100 * end) for net in nets for end in (net.low, net.high) if end is not None), default=0.0)
    return min(int(widest // 10 + 1) * 10, 100)
