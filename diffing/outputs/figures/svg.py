"""Building blocks of all SVG pictures: marks, lines of text, links, and the SVG element around them.

Horizontal positions are percentages of the picture's width and everything else is in pixels, so texts keep their size
however wide a page shows the picture. Colours are the page's custom properties (`--ink`, `--a` ...), which change with
its theme; a file has those of the light theme and its own background.
"""

import re
import textwrap
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from markupsafe import Markup, escape

from diffing.outputs.phrasing import one_line
from diffing.types import Side

PALETTE = {
    "paper": "#fbfaf7", "ink": "#1b1e23", "muted": "#5a626d", "line": "#e3e0d9", "soft": "#f2f0eb",
    "a": "#1b62a8", "b": "#a34a00", "a-tint": "#3b82c4", "b-tint": "#d9730d",
}  # fmt: skip
"""Colours of a picture file, by the names of the pages' custom properties.

The blue and the orange are distinguishable with every common colour blindness."""
FONT = "DejaVu Sans"
"""The font that ships with this package; pages use their own."""
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_CLASS = re.compile(r"\.([\w-]+)")
_DECLARATION = re.compile(r"([\w-]+): ([^;]+);")
_VARIABLE = re.compile(r"var\(--([a-z-]+)\)")
_CLASSES = re.compile('class="([^"]*)"')
"""The class attribute of an element; it cannot match within text, where quotation marks are escaped."""
_LONGEST = 600
"""Maximum number of characters of a text before it is broken into lines."""


@dataclass(frozen=True, slots=True)
class ReportPicture:
    """One picture of a report."""

    kind: str
    """CSS classes of its element in a page."""
    name: str
    """A short title."""
    description: str
    """Alternative text for people who do not see the picture."""
    height: int | None
    """Height in pixels; None for a square."""
    body: Markup
    """The content of its SVG element."""

    def inline(self) -> Markup:
        """Returns the element for a page that has `stylesheet()` and the custom properties that it uses."""
        height = Markup(' height="{}"').format(self.height) if self.height else ""
        return Markup('<svg class="figure {}" role="group" aria-label="{}" width="100%"{}>{}</svg>').format(
            self.kind, f"{self.name}. {self.description}", height, self.body
        )


def file_of(body: Markup, width: int, height: int, name: str, description: str) -> bytes:
    """Returns an SVG file of a picture's content; CSS classes become attributes with the colours of `PALETTE`.

    Args:
        body: The content.
        width: Width in pixels.
        height: Height in pixels.
        name: A short title.
        description: Alternative text for people who do not see the picture.
    """
    around = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" '
        'class="figure"><title>{}</title><desc>{}</desc>{}</svg>\n'
    ).format(name, description, body, w=width, h=height)
    return _CLASSES.sub(lambda found: _attributes(found[1]), around).encode()


@cache
def stylesheet() -> str:
    """Returns the CSS of all pictures."""
    return files(__package__).joinpath("figures.css").read_text(encoding="utf-8")


@cache
def _attributes(classes: str) -> str:
    """Returns the CSS rules for classes as attributes, because some places that show SVG allow no style sheets."""
    of, styles = set(classes.split()), dict[str, str]()
    for selectors, declarations in _RULE.findall(stylesheet()):
        named = [set(_CLASS.findall(selector)) for selector in selectors.split(",")]
        if any((each - {"figure"} or each) <= of for each in named):
            styles |= _DECLARATION.findall(declarations)
    coloured = {key: _VARIABLE.sub(lambda found: PALETTE[found[1]], value) for key, value in styles.items()}
    return " ".join(f'{key}="{escape(value)}"' for key, value in coloured.items())


def mark(side: Side, x: str, y: float, *, filled: bool, radius: float = 5.5) -> Markup:
    """Draws a circle for model A or a diamond for model B.

    Args:
        side: The model.
        x: Horizontal centre, such as `12.5%`.
        y: Vertical centre in pixels.
        filled: Whether the mark is filled; an outline stands for an unconfirmed finding.
        radius: Radius in pixels.
    """
    shape = "mark" if filled else "mark hollow"
    if side == "a":
        return Markup('<circle class="{} a" cx="{}" cy="{}" r="{}"/>').format(shape, x, y, radius)
    r = round(1.2 * radius, 1)
    path = f"M0 {-r}L{r} 0 0 {r} {-r} 0z"
    return Markup('<svg x="{}" y="{}" overflow="visible"><path class="{} b" d="{}"/></svg>').format(x, y, shape, path)


def text(lines: Sequence[str], x: str, y: float, anchor: str = "start", *, style: str = "") -> Markup:
    """Draws lines of text below each other.

    Args:
        lines: Any texts.
        x: Horizontal position of the anchor, such as `12.5%`.
        y: Base line of the first line, in pixels.
        anchor: The part of each line that is at `x`: `start`, `middle` or `end`.
        style: CSS classes.
    """
    of = Markup('<text x="{}" y="{}"{}{}>{}</text>')
    classes = Markup(' class="{}"').format(style) if style else ""
    placed = "" if anchor == "start" else Markup(' text-anchor="{}"').format(anchor)
    return Markup("").join(of.format(x, y + 16 * place, placed, classes, line) for place, line in enumerate(lines))


def lines_of(content: str, width: int, most: int = 2) -> list[str]:
    """Breaks a text into a few lines without control characters, cut with an ellipsis if it is longer.

    Args:
        content: Any text.
        width: Maximum number of letters per line; those of East Asian scripts and emoji count as two.
        most: Maximum number of lines.
    """
    line = one_line(content, _LONGEST)
    wide = sum(unicodedata.east_asian_width(sign) in "WF" for sign in line)
    letters = max(int(width * len(line) / (len(line) + wide)), 1) if line else width
    lines = textwrap.wrap(line, letters) or [""]
    if len(lines) <= most:
        return lines
    return [*lines[: most - 1], one_line(" ".join(lines[most - 1 :]), letters)]


def tooltip(*lines: str) -> Markup:
    """Returns a `<title>`: browsers show it as a tooltip, and screen readers read it as the element's name."""
    return Markup("<title>{}</title>").format("\n".join(one_line(line, _LONGEST) for line in lines))


def linked(content: Markup, target: str | None) -> Markup:
    """Groups content and makes it a link within the page.

    Args:
        content: The content, which begins with its tooltip.
        target: The id of the link's target; None for no link.
    """
    if target is None:
        return Markup("<g>{}</g>").format(content)
    return Markup('<a href="#{}">{}</a>').format(escape(target), content)
