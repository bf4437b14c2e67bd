"""Draws the forest plot: net differences with their intervals, one row per finding."""

from collections.abc import Sequence

from markupsafe import Markup

from diffing.outputs.figures.geometry import Span, rounded_reach, span_of, ticks_of
from diffing.outputs.figures.svg import Picture, lines_of, linked, mark, text, tooltip
from diffing.outputs.finding_results import where_it_applies
from diffing.outputs.phrasing import count, interval, one_line, points, statement
from diffing.report.index import index_of
from diffing.report.model_names import Names
from diffing.types import SIDES, Finding, Report, Side

_WIDTH, _ROWS, _ROW = 900, 15, 46
"""Width of the file in pixels, maximum number of rows, and height of a row in pixels."""
_LEFT, _RIGHT = 44, 96
"""Left and right end of the axis, in percent of the width; labels stand left of it."""
_LETTERS, _NAME = 44, 26
"""Maximum number of letters per line of a label, and of a model's name."""
_TOP, _BOTTOM = 30, 48
"""Pixels above the first row and below the last one."""
_WITHIN = 12
"""Pixels from the interval over all prompts down to the one where a finding applies."""
_NOTE = "net difference on held-out prompts, percentage points, with 95% intervals; filled: confirmed"
_SCOPED_NOTE = "; dashed: where it applies"


def forest_file(report: Report) -> bytes | None:
    """Draws net differences on held-out prompts with 95% intervals, the first lines on top, as an SVG file.

    Left of zero model A does it more, right of zero model B. Filled marks are confirmed, hollow ones are not. Each row
    is the lead of an entry of the grouped list; leads without held-out verdicts are skipped.

    Args:
        report: The report; the leads of its first 15 entries are drawn in their order.

    Returns:
        The file; None if there is nothing to draw.
    """
    index = index_of(report)
    shown = [each for each in index.leads if each.heldout.net_difference.value is not None][:_ROWS]
    if not shown:
        return None
    names, reach = index.names, rounded_reach(shown)
    bottom = _TOP + _ROW * len(shown)
    scoped = any(finding.heldout_in_scope for finding in shown)
    body = [_axis(reach, bottom, names, _NOTE + (_SCOPED_NOTE if scoped else ""))]
    for place, finding in enumerate(shown):
        span = span_of(finding.heldout.net_difference, finding.hypothesis.direction, reach / 100)
        if span is not None:
            body.append(linked(_row(finding, span, _TOP + _ROW * place, names, reach), None))
    name = f"How {one_line(names.a, 60)} and {one_line(names.b, 60)} differ"
    return Picture("forest", name, _description(shown), bottom + _BOTTOM, Markup("").join(body)).file(_WIDTH)


def _description(shown: Sequence[Finding]) -> str:
    confirmed = sum(finding.confirmed for finding in shown)
    return f"Net differences of {count(len(shown), 'finding')} with their intervals, {confirmed} of them confirmed."


def _axis(reach: int, bottom: int, names: Names, note: str) -> Markup:
    """Draws the grid, its labels, the note below it, and which model each direction stands for."""
    parts = []
    for tick in ticks_of(reach):
        x = _x(50 + 50 * tick / reach)
        line = Markup('<line class="{}" x1="{x}" y1="{}" x2="{x}" y2="{}"/>')
        parts.append(line.format("zero" if tick == 0 else "grid", _TOP - 6, bottom, x=x))
        parts.append(text([str(abs(tick))], x, bottom + 18, "middle", style="note"))
    parts.append(text([note], _x(100), bottom + 38, "end", style="note"))
    left, right = (_arrow(side, names) for side in SIDES)
    parts.append(text([left], _x(0), 14, style="head a"))
    parts.append(text([right], _x(100), 14, "end", style="head b"))
    return Markup("").join(parts)


def _x(place: float) -> str:
    """Converts a place on the axis, from 0 to 100, to a percentage of the width."""
    return f"{round(_LEFT + (_RIGHT - _LEFT) * place / 100, 2):g}%"


def _arrow(side: Side, names: Names) -> str:
    more = f"{one_line(names.of(side), _NAME)} more"
    return f"← {more}" if side == "a" else f"{more} →"


def _row(finding: Finding, span: Span, top: int, names: Names, reach: int) -> Markup:
    """Draws the label, the interval and the mark of one finding, and those where it applies if it has a scope."""
    lines = lines_of(statement(finding, names), _LETTERS)
    y = top + _ROW // 2
    label = text(lines, f"{_LEFT - 2:g}%", y + 4 - 8 * (len(lines) - 1), "end", style="label")
    side = finding.hypothesis.direction
    style = f"span {side}" if finding.confirmed else f"span hollow-span {side}"
    drawn = _bar(style, span, y) + mark(side, _x(span.value), y, filled=finding.confirmed)
    within = finding.heldout_in_scope
    inner = span_of(within.net_difference, side, reach / 100) if within else None
    if inner is not None:
        drawn += _bar(f"span within {side}", inner, y + _WITHIN)
        drawn += mark(side, _x(inner.value), y + _WITHIN, filled=finding.confirmed, radius=3.5)
    return tooltip(*_hover(finding, names)) + label + drawn


def _bar(style: str, span: Span, y: int) -> Markup:
    bar = Markup('<line class="{}" x1="{}" y1="{y}" x2="{}" y2="{y}"/>')
    return bar.format(style, _x(span.low), _x(span.high), y=y)


def _hover(finding: Finding, names: Names) -> tuple[str, ...]:
    net = finding.heldout.net_difference
    result = f"{points(net.value)} points, 95% interval {interval(net)}, n = {finding.heldout.n}"
    status = "confirmed" if finding.confirmed else "not confirmed"
    within = where_it_applies(finding)
    scoped = (f"where it applies: {within}",) if within else ()
    return one_line(statement(finding, names), 300), f"{result}, {status}", *scoped
