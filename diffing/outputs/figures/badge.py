"""Draws the badge of a report: a small picture that says how many differences are confirmed, for cards and READMEs."""

from markupsafe import Markup

from diffing.outputs.claims import confirmed_leads
from diffing.outputs.figures.svg import PALETTE, file_of
from diffing.outputs.phrasing import count, one_line
from diffing.report.index import index_of
from diffing.types import Report

_HEIGHT, _PADDING = 20, 7
"""Height of the badge, and space beside each text, in pixels."""
_NARROW, _LETTER = ("fijlrt ", 4.3), 7.0
"""The narrow letters with their width, and the width of all others, in pixels."""
_LABEL = "diffing"


def badge(report: Report) -> bytes:
    """Draws the badge as an SVG file without scripts, style sheets, links or requests.

    Args:
        report: The report that the badge stands for.
    """
    names, words = index_of(report).names, badge_words(report)
    left, right = (_width(text) + 2 * _PADDING for text in (_LABEL, words))
    colour = PALETTE["a"] if confirmed_leads(index_of(report)) else PALETTE["muted"]
    body = _half(_LABEL, 0, left, PALETTE["ink"]) + _half(words, left, right, colour)
    name = f"{_LABEL}: {words}"
    return file_of(body, left + right, _HEIGHT, name, f"{one_line(names.a, 60)} and {one_line(names.b, 60)}, {words}")


def badge_words(report: Report) -> str:
    """What the badge says, such as "19 differences" or "no difference found"."""
    index = index_of(report)
    if total := len(confirmed_leads(index)):
        return count(total, "difference").replace("\u00a0", " ")
    return "no difference found" if any(each.heldout.n for each in index.tested) else "nothing tested"


def _half(text: str, x: int, width: int, colour: str) -> Markup:
    """Draws one half; its text gets the width that was reckoned with, whatever font a reader has."""
    return Markup(
        '<rect x="{}" width="{}" height="{}" fill="{}"/><text x="{}" y="14" font-size="11" textLength="{}" '
        'fill="#fff">{}</text>'
    ).format(x, width, _HEIGHT, colour, x + _PADDING, width - 2 * _PADDING, text)


def _width(text: str) -> int:
    letters, narrow = _NARROW
    return round(sum(narrow if letter in letters else _LETTER for letter in text))
