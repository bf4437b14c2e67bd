"""Draws the link preview of a report: a picture of 1200 by 630 pixels that is readable at a third of its size."""

from collections.abc import Sequence

from markupsafe import Markup

from diffing.outputs.claims import claim, confirmed_leads, headline_leads, levels_shown, what_and_where
from diffing.outputs.figures.svg import file_of, lines_of, mark
from diffing.outputs.headline import headline
from diffing.outputs.phrasing import count, one_line, prompt_counts
from diffing.outputs.rate_bars import RateBar, bars, row_pieces
from diffing.report.index import index_of
from diffing.report.model_names import ModelNames
from diffing.types import SIDES, Finding, Report

WIDTH, HEIGHT = 1200, 630
"""Size in pixels that websites expect of a link preview."""
_LEFT, _RIGHT = 60, 1140
_MARK, _TRACK, _VALUE = 580, (602, 950), 966
"""Horizontal places of the marks, of both ends of the bars, and of their values, in pixels."""
_FIRST, _ROW, _BAR, _THICK = 299, 88, 36, 26
"""Top of the first row, height of a row, distance of its two bars, and their thickness, in pixels."""
_LARGE, _SMALL = (50, 36), (40, 46)
"""Font sizes of the title in pixels, each with the number of letters that fit in a line."""


def preview(report: Report) -> bytes:
    """Draws the first difference in words, both models' rates for three differences, and their number, as an SVG file.

    Args:
        report: The report that the link opens.
    """
    names, shown = index_of(report).names, headline_leads(report)
    title = _claim(shown[0], names) if shown else headline(report)
    paper = Markup('<rect class="ground" width="{}" height="{}"/>').format(WIDTH, HEIGHT)
    body = Markup("").join((paper, _heads(names), _title(title), *_rows(shown, names), _total(report)))
    name = f"How {one_line(names.a, 60)} and {one_line(names.b, 60)} differ"
    return file_of(body, WIDTH, HEIGHT, name, one_line(title, 400))


def _claim(finding: Finding, names: ModelNames) -> str:
    """The claim without counts, which the bars show; only what differs and where if the rest does not fit."""
    said = "".join(text for text, style in claim(finding, names) if style != "count")
    return said if levels_shown(finding) and _fits(said, _SMALL[1]) else what_and_where(finding, names, 2 * _SMALL[1])


def _fits(title: str, letters: int) -> bool:
    return not lines_of(title, letters)[-1].endswith("…")


def _text(text: str, x: float, y: float, size: int, *, anchor: str = "start", style: str = "") -> Markup:
    of = Markup('<text x="{}" y="{}" font-size="{}" text-anchor="{}" class="{}">{}</text>')
    return of.format(x, y, size, anchor, style, text)


def _heads(names: ModelNames) -> Markup:
    """Draws the name of this package and the marks and names of both models."""
    parts = [_brand()]
    for side, x in zip(SIDES, (_MARK - 300, _MARK + 130), strict=True):
        parts += [mark(side, str(x), 73, filled=True, radius=11)]
        parts.append(_text(one_line(names.of(side), 20), x + 24, 84, 30, style=f"head {side}"))
    return Markup("").join(parts)


def _brand() -> Markup:
    ring = Markup('<circle class="ring {}" cx="{}" cy="73" r="14"/>')
    rings = ring.format("a", _LEFT + 16) + ring.format("b", _LEFT + 34)
    return rings + _text("diffing", _LEFT + 62, 84, 32, style="bold")


def _title(title: str) -> Markup:
    size, letters = _LARGE if _fits(title, _LARGE[1]) else _SMALL
    lines = lines_of(title, letters)
    return Markup("").join(_text(line, _LEFT, 178 + 64 * place, size, style="bold") for place, line in enumerate(lines))


def _rows(shown: Sequence[Finding], names: ModelNames) -> list[Markup]:
    return [_row(finding, _FIRST + _ROW * place, names) for place, finding in enumerate(shown)]


def _row(finding: Finding, top: int, names: ModelNames) -> Markup:
    said = "".join(names.of(side) if side else text for text, side in row_pieces(finding))
    lines = lines_of(said, 34)
    first = top + 41 - 17 * (len(lines) - 1)
    label = [_text(line, _LEFT, first + 34 * place, 27) for place, line in enumerate(lines)]
    drawn = [_bar(each, top + _BAR * place) for place, each in enumerate(bars(finding, names))]
    return Markup("").join((*label, *drawn))


def _bar(bar: RateBar, top: int) -> Markup:
    rect = Markup('<rect class="{}" x="{}" y="{}" width="{:.1f}" height="{}" rx="5"/>')
    start, end = _TRACK
    track = rect.format("track", start, top, end - start, _THICK)
    fill = (
        rect.format(f"fill {bar.side}", start, top, (end - start) * bar.width / 100, _THICK) if bar.width else Markup()
    )
    value = _text(one_line(bar.value, 14), _VALUE, top + 22, 26)
    return mark(bar.side, str(_MARK), top + _THICK // 2, filled=True, radius=9) + track + fill + value


def _total(report: Report) -> Markup:
    index = index_of(report)
    total = count(len(confirmed_leads(index)), "confirmed difference")
    if index.tested:
        total += f", tested on {prompt_counts(index.tested, 'held-out prompt')}"
    line = Markup('<line class="grid" x1="{}" x2="{}" y1="566" y2="566"/>').format(_LEFT, _RIGHT)
    return line + _text(total, _LEFT, 606, 28, style="note")
