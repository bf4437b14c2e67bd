"""Draws the link preview of a report: a picture of 1200 by 630 pixels that is readable at a third of its size."""

from collections.abc import Sequence

from markupsafe import Markup

from diffing.estimates import Estimate
from diffing.outputs.figures.geometry import rounded_reach, span_of
from diffing.outputs.figures.svg import file_of, lines_of, mark
from diffing.outputs.phrasing import count, headline, headline_rank, one_line, points, prompt_counts, statement
from diffing.report.index import index_of
from diffing.report.model_names import Names
from diffing.types import SIDES, Finding, Report, Side

WIDTH, HEIGHT = 1200, 630
"""Size in pixels that websites expect of a link preview."""
ROWS = 3
"""Maximum number of differences that are drawn."""
_LEFT, _RIGHT = 60, 1140
_AXIS = (580, 915)
"""Left and right end of the axis, in pixels."""
_FIRST, _ROW = 320, 80
"""Vertical middle of the first row, and height of a row, in pixels."""
_WITHIN = 24
"""Pixels from the interval over all prompts down to the one where a finding applies."""


def preview(report: Report) -> bytes:
    """Draws the strongest difference in words, three differences on one axis and the number confirmed, as an SVG file.

    Args:
        report: The report that the link opens.
    """
    names = index_of(report).names
    confirmed = sorted((each for each in index_of(report).leads if each.confirmed), key=headline_rank)
    shown = confirmed[:ROWS]
    title = statement(confirmed[0], names) if confirmed else headline(report)
    paper = Markup('<rect class="ground" width="{}" height="{}"/>').format(WIDTH, HEIGHT)
    body = Markup("").join((paper, _heads(names), _headline(title), *_rows(shown, names), _total(report)))
    name = f"How {one_line(names.a, 60)} and {one_line(names.b, 60)} differ"
    return file_of(body, WIDTH, HEIGHT, name, one_line(title, 400))


def _text(text: str, x: float, y: float, size: int, *, anchor: str = "start", style: str = "") -> Markup:
    of = Markup('<text x="{}" y="{}" font-size="{}" text-anchor="{}" class="{}">{}</text>')
    return of.format(x, y, size, anchor, style, text)


def _heads(names: Names) -> Markup:
    """Draws the name of this package and the marks and names of both models."""
    parts = [_text("diffing", _LEFT, 84, 34)]
    for side, x in zip(SIDES, (_AXIS[0] - 300, _AXIS[0] + 130), strict=True):
        parts += [mark(side, str(x), 73, filled=True, radius=11)]
        parts.append(_text(one_line(names.of(side), 20), x + 24, 84, 30, style=f"head {side}"))
    return Markup("").join(parts)


def _headline(title: str) -> Markup:
    lines = lines_of(title, 38)
    return Markup("").join(_text(line, _LEFT, 178 + 62 * place, 48) for place, line in enumerate(lines))


def _rows(shown: Sequence[Finding], names: Names) -> list[Markup]:
    reach = rounded_reach(shown)
    placed = [each for each in shown if span_of(each.heldout.net_difference, each.hypothesis.direction, 1) is not None]
    drawn = [_row(each, _FIRST + _ROW * place, names, reach / 100) for place, each in enumerate(placed)]
    if drawn:
        middle, bottom = sum(_AXIS) / 2, _FIRST + _ROW * len(drawn) - 46
        axis = Markup('<line class="zero" x1="{x}" y1="{}" x2="{x}" y2="{}"/>').format(_FIRST - 34, bottom, x=middle)
        drawn.insert(0, axis)
    return drawn


def _row(finding: Finding, y: int, names: Names, reach: float) -> Markup:
    side = finding.hypothesis.direction
    lines = lines_of(statement(finding, names), 34)
    top = y + 10 - 17 * (len(lines) - 1)
    label = [_text(line, _LEFT, top + 34 * place, 27) for place, line in enumerate(lines)]
    net, within = finding.heldout.net_difference, finding.heldout_in_scope
    number = [_text(f"{_size(net)} points", _RIGHT, y + 10, 27, anchor="end")]
    drawn = [_bar(net, side, y, reach, "thick", 11)]
    if within is not None and within.n:
        number.append(_text(f"{_size(within.net_difference)} where it applies", _RIGHT, y + 36, 20, anchor="end"))
        drawn.append(_bar(within.net_difference, side, y + _WITHIN, reach, "within", 7))
    return Markup("").join((*label, *drawn, *number))


def _bar(net: Estimate, side: Side, y: int, reach: float, style: str, radius: int) -> Markup:
    """Draws an interval with its mark; nothing if they are undefined."""
    span = span_of(net, side, reach)
    if span is None:
        return Markup()
    low, value, high = (_AXIS[0] + (_AXIS[1] - _AXIS[0]) * place / 100 for place in span)
    bar = Markup('<line class="span {} {}" x1="{:.1f}" y1="{y}" x2="{:.1f}" y2="{y}"/>')
    return bar.format(style, side, low, high, y=y) + mark(side, f"{value:.1f}", y, filled=True, radius=radius)


def _size(net: Estimate) -> str:
    return points(abs(net.value or 0.0)).lstrip("+")


def _total(report: Report) -> Markup:
    tested, confirmed = index_of(report).tested, index_of(report).confirmed
    total = f"{count(len(confirmed), 'confirmed difference')}"
    if tested:
        total += f", tested on {prompt_counts(tested, 'held-out prompt')}"
    line = Markup('<line class="grid" x1="{}" x2="{}" y1="556" y2="556"/>').format(_LEFT, _RIGHT)
    return line + _text(total, _LEFT, 600, 28, style="note")
