"""Draws both models' own rates of a few differences as bars, for cards on the Hub."""

from markupsafe import Markup

from diffing.outputs.behaviour_words import place_label
from diffing.outputs.figures.svg import file_of, lines_of, mark
from diffing.outputs.headline import findings_in_card
from diffing.outputs.phrasing import count, one_line
from diffing.outputs.rate_bars import RateBar, bars, row_pieces
from diffing.report.index import index_of
from diffing.report.model_names import ModelNames
from diffing.types import SIDES, Finding, Report

_WIDTH, _LEFT = 720, 18
_MARK, _TRACK, _VALUE = 312, (326, 608), 620
"""Horizontal places of the marks, of both ends of the bars, and of their values, in pixels."""
_FIRST, _ROW, _BAR, _THICK = 46, 46, 18, 12
"""Top of the first row, height of a row, distance of its two bars, and their thickness, in pixels."""
_LETTERS, _NAME = 36, 36
"""Maximum number of letters per line of a label, and of a model's name."""


def rates_file(report: Report) -> bytes | None:
    """Draws both models' rates for the differences of a card as an SVG file on a background of its own.

    Args:
        report: The report; the differences are those of `findings_in_card`.

    Returns:
        The file; None if no difference is confirmed.
    """
    shown, names = findings_in_card(report), index_of(report).names
    if not shown:
        return None
    height = _FIRST + _ROW * len(shown) + 6
    sheet = Markup('<rect class="sheet" x="0.5" y="0.5" width="{}" height="{}" rx="10"/>').format(
        _WIDTH - 1, height - 1
    )
    rows = (_row(finding, _FIRST + _ROW * place, names) for place, finding in enumerate(shown))
    name = f"How {one_line(names.a, 60)} and {one_line(names.b, 60)} differ"
    said = "; ".join(f"{_label(each, names)}: {_spoken(each, names)}" for each in shown)
    return file_of(Markup("").join((sheet, _heads(names), *rows)), _WIDTH, height, name, one_line(said, 1_000))


def rates_alternative(report: Report) -> str:
    """The alternative text of the picture, which says what it shows; the card itself gives the numbers."""
    return f"Rates of both models for {count(len(findings_in_card(report)), 'difference')}".replace("\u00a0", " ")


def _heads(names: ModelNames) -> Markup:
    """Draws the marks and names of both models."""
    parts = []
    for side, x in zip(SIDES, (_LEFT + 6, _WIDTH // 2), strict=True):
        parts.append(mark(side, str(x), 24, filled=True))
        parts.append(_text(one_line(names.of(side), _NAME), x + 12, 29, 15, f"head {side}"))
    return Markup("").join(parts)


def _row(finding: Finding, top: int, names: ModelNames) -> Markup:
    lines = lines_of(_label(finding, names), _LETTERS)
    first = top + 22 - 8 * (len(lines) - 1)
    label = (_text(line, _LEFT, first + 17 * place, 14) for place, line in enumerate(lines))
    drawn = (_bar(each, top + 1 + _BAR * place) for place, each in enumerate(bars(finding, names)))
    return Markup("").join((*label, *drawn))


def _bar(bar: RateBar, top: int) -> Markup:
    rect = Markup('<rect class="{}" x="{}" y="{}" width="{:.1f}" height="{}" rx="3"/>')
    start, end = _TRACK
    drawn = rect.format("track", start, top, end - start, _THICK)
    if bar.width:
        drawn += rect.format(f"fill {bar.side}", start, top, (end - start) * bar.width / 100, _THICK)
    value = _text(one_line(bar.value, 14), _VALUE, top + 11, 13)
    return mark(bar.side, str(_MARK), top + _THICK // 2, filled=True, radius=4.5) + drawn + value


def _text(text: str, x: int, y: int, size: int, style: str = "") -> Markup:
    return Markup('<text x="{}" y="{}" font-size="{}" class="{}">{}</text>').format(x, y, size, style, text)


def _label(finding: Finding, names: ModelNames) -> str:
    """What differs, and where if it is concentrated in a place."""
    said = "".join(names.of(side) if side else text for text, side in row_pieces(finding))
    place = place_label(finding)
    return f"{said} ({place})" if place else said


def _spoken(finding: Finding, names: ModelNames) -> str:
    return ", ".join(bar.spoken for bar in bars(finding, names))
