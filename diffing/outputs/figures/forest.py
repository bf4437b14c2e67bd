"""Draws the forest plot: net differences with their intervals, one row per finding."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from diffing.outputs.figures.geometry import Span, rounded_reach, span_of, ticks_of
from diffing.outputs.figures.svg import Picture, lines_of, linked, mark, text, tooltip
from diffing.outputs.finding_results import where_it_applies
from diffing.outputs.phrasing import count, interval, one_line, points, statement
from diffing.report.index import index_of
from diffing.report.model_names import Names
from diffing.types import SIDES, Finding, Report, Side

MAX_ROWS = 40
"""Maximum number of rows in a page; they show the first entries of the grouped list."""
_RIGHT = 96
"""Right end of the axis, in percent of the width."""
_TOP, _BOTTOM = 30, 48
"""Pixels above the first row and below the last one."""
_WITHIN = 12
"""Pixels from the interval over all prompts down to the one where a finding applies."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of a forest plot."""

    kind: str
    """CSS classes of its element in a page."""
    left: float
    """Left end of the axis, in percent of the width; labels stand left of it, or above it if there is no room."""
    row: int
    """Height of a row in pixels."""
    letters: int
    """Maximum number of letters per line of a label."""
    name: int
    """Maximum number of letters of a model's name."""
    rows: int = MAX_ROWS
    """Maximum number of rows."""
    links: bool = True
    """Whether a row links to its finding in the page."""
    note: str = "net difference, percentage points"
    """Label below the axis."""
    scoped_note: str = ""
    """What the label adds if a finding has a scope; a page says it in its text."""

    @property
    def above(self) -> bool:
        """Whether labels stand above their intervals."""
        return self.left < 10

    def x(self, place: float) -> str:
        """Converts a place on the axis, from 0 to 100, to a percentage of the width."""
        return f"{round(self.left + (_RIGHT - self.left) * place / 100, 2):g}%"


WIDE = Layout("forest wide", left=40, row=46, letters=48, name=30)
"""Layout for pages that are at least 60 rem wide."""
NARROW = Layout("forest narrow", left=4, row=66, letters=46, name=16)
"""Layout for phones and small windows."""
FILE = Layout(
    "forest", left=44, row=46, letters=44, name=26, rows=15, links=False,
    note="net difference on held-out prompts, percentage points, with 95% intervals; filled: confirmed",
    scoped_note="; dashed: where it applies",
)  # fmt: skip
"""Layout for a picture file that is about 900 pixels wide."""


def forest(report: Report, layout: Layout = WIDE) -> Picture:
    """Draws net differences on held-out prompts with 95% intervals, in percentage points, the strongest on top.

    Left of zero model A does it more, right of zero model B. Filled marks are confirmed, hollow ones are not. Each row
    is the lead of an entry of the grouped list; leads without held-out verdicts are skipped.

    Args:
        report: The report; the leads of its entries are drawn in their order.
        layout: One of `WIDE`, `NARROW` and `FILE`.
    """
    index = index_of(report)
    names, numbers = index.names, index.numbers
    shown = [each for each in index.leads if each.heldout.net_difference.value is not None][: layout.rows]
    reach = rounded_reach(shown)
    bottom = _TOP + layout.row * len(shown)
    scoped = any(finding.heldout_in_scope for finding in shown)
    body = [_axis(layout, reach, bottom, names, layout.note + (layout.scoped_note if scoped else ""))]
    for place, finding in enumerate(shown):
        span = span_of(finding.heldout.net_difference, finding.hypothesis.direction, reach / 100)
        if span is not None:
            target = f"f{numbers[finding.hypothesis.id]}" if layout.links else None
            body.append(linked(_row(finding, span, _TOP + layout.row * place, layout, names, reach), target))
    name = f"How {one_line(names.a, 60)} and {one_line(names.b, 60)} differ"
    return Picture(layout.kind, name, _description(shown), bottom + _BOTTOM, Markup("").join(body))


def forest_file(report: Report) -> bytes | None:
    """Draws the first 15 rows of the plot as an SVG file; returns None if there is nothing to draw."""
    if all(finding.heldout.net_difference.value is None for finding in index_of(report).leads):
        return None
    return forest(report, FILE).file(900)


def _description(shown: Sequence[Finding]) -> str:
    confirmed = sum(finding.confirmed for finding in shown)
    return f"Net differences of {count(len(shown), 'finding')} with their intervals, {confirmed} of them confirmed."


def _axis(layout: Layout, reach: int, bottom: int, names: Names, note: str) -> Markup:
    """Draws the grid, its labels, the note below it, and which model each direction stands for."""
    parts = []
    for tick in ticks_of(reach):
        x = layout.x(50 + 50 * tick / reach)
        line = Markup('<line class="{}" x1="{x}" y1="{}" x2="{x}" y2="{}"/>')
        parts.append(line.format("zero" if tick == 0 else "grid", _TOP - 6, bottom, x=x))
        parts.append(text([str(abs(tick))], x, bottom + 18, "middle", style="note"))
    parts.append(text([note], layout.x(100), bottom + 38, "end", style="note"))
    left, right = (_arrow(side, names, layout.name) for side in SIDES)
    parts.append(text([left], layout.x(0), 14, style="head a"))
    parts.append(text([right], layout.x(100), 14, "end", style="head b"))
    return Markup("").join(parts)


def _arrow(side: Side, names: Names, length: int) -> str:
    more = f"{one_line(names.of(side), length)} more"
    return f"← {more}" if side == "a" else f"{more} →"


def _row(finding: Finding, span: Span, top: int, layout: Layout, names: Names, reach: int) -> Markup:
    """Draws the label, the interval and the mark of one finding, and those where it applies if it has a scope."""
    lines = lines_of(statement(finding, names), layout.letters)
    if layout.above:
        y, label = (
            top + layout.row - 16,
            text(lines, "0%", top + layout.row - 28 - 16 * (len(lines) - 1), style="label"),
        )
    else:
        y = top + layout.row // 2
        label = text(lines, f"{layout.left - 2:g}%", y + 4 - 8 * (len(lines) - 1), "end", style="label")
    side = finding.hypothesis.direction
    style = f"span {side}" if finding.confirmed else f"span hollow-span {side}"
    hit = Markup('<rect class="hit" x="0" y="{}" width="100%" height="{}" rx="6"/>').format(top, layout.row)
    drawn = _bar(style, span, y, layout) + mark(side, layout.x(span.value), y, filled=finding.confirmed)
    within = finding.heldout_in_scope
    inner = span_of(within.net_difference, side, reach / 100) if within else None
    if inner is not None:
        drawn += _bar(f"span within {side}", inner, y + _WITHIN, layout)
        drawn += mark(side, layout.x(inner.value), y + _WITHIN, filled=finding.confirmed, radius=3.5)
    return tooltip(*_hover(finding, names)) + hit + label + drawn


def _bar(style: str, span: Span, y: int, layout: Layout) -> Markup:
    bar = Markup('<line class="{}" x1="{}" y1="{y}" x2="{}" y2="{y}"/>')
    return bar.format(style, layout.x(span.low), layout.x(span.high), y=y)


def _hover(finding: Finding, names: Names) -> tuple[str, ...]:
    net = finding.heldout.net_difference
    result = f"{points(net.value)} points, 95% interval {interval(net)}, n = {finding.heldout.n}"
    status = "confirmed" if finding.confirmed else "not confirmed"
    within = where_it_applies(finding)
    scoped = (f"where it applies: {within}",) if within else ()
    return one_line(statement(finding, names), 300), f"{result}, {status}", *scoped
