"""Writes and finds the HTML comments that begin and end the card's section, and the comment that opts out of it.

A Markdown parser makes sure that markers within code blocks or inline code count as text.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from markdown_it import MarkdownIt

from diffing.outputs.card.html_spans import html_of_block, html_of_text, left_open

NAME = "model-diff"
OPT_OUT = f"<!-- {NAME}: off -->"
"""Comment in a card that opts out of the section."""
_END = f"<!-- {NAME}:end -->"
_MARKER = re.compile(rf"<!--\s*{NAME}:\s*(begin|end|off)\b", re.IGNORECASE)
_OFF = re.compile(rf"\b{NAME.replace('-', '[-_]')}\s*[:=]\s*['\"]?(?:off|false|no)\b", re.IGNORECASE)
"""An opt-out that is not a marker: in other comments, or in YAML outside the front matter."""
_HASH = re.compile(r"\bsha256=([0-9a-f]{16})\b")
_LINE_END = re.compile(r"\r\n|\r|\n")
_UNSAFE = re.compile(r"[^\w./@+:-]|(?<=-)-", re.ASCII)


@dataclass(frozen=True, slots=True)
class CardMarker:
    """One marker of a card."""

    kind: str
    """`begin`, `end` or `off`."""
    line: int
    """The line on which it begins, from 0."""
    alone: bool
    """Whether there is nothing else on its line."""
    first: bool
    """Whether an HTML block begins with it, outside lists and quotations."""


def between_markers(content: str, names: dict[str, str]) -> str:
    """Puts content between two markers; the first one contains a hash of the content.

    Args:
        content: Markdown with a newline at its end.
        names: Further values in the first marker, for programs.
    """
    values = "".join(f" {key}={_UNSAFE.sub('_', value)}" for key, value in names.items())
    return f"<!-- {NAME}:begin{values} sha256={digest(content)} -->\n{content}{_END}"


def digest(content: str) -> str:
    """Returns a hash of the content that ignores line endings, because tools convert them."""
    return hashlib.sha256(unified(content).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def hash_in(begin: str) -> str | None:
    """Returns the hash in a first marker; None if it has none."""
    found = _HASH.search(begin)
    return found[1] if found else None


def unified(text: str) -> str:
    """Returns the text with line feeds as line endings."""
    return _LINE_END.sub("\n", text)


@dataclass(frozen=True, slots=True)
class ParsedBody:
    """The markers and unclosed HTML of a card below its front matter."""

    markers: tuple[CardMarker, ...]
    """All markers from top to bottom."""
    left_open: str | None
    """An HTML element that is not closed and would contain a section after it; None if there is none."""


def body_of(text: str) -> ParsedBody:
    """Parses a Markdown text without front matter, in time linear in its length.

    Args:
        text: Text with any line endings; lines are counted as in CommonMark.
    """
    lines = _LINE_END.split(text)
    parser = MarkdownIt("commonmark")
    # inline content is not parsed, because `html_of_text` finds what is needed; nor are link definitions, because the
    # parser reads a paragraph of them again for each one
    parser.core.ruler.enableOnly(["normalize", "block"])
    parser.block.ruler.disable("reference")
    markers: list[CardMarker] = []
    pieces: list[str] = []
    for token in parser.parse(text):
        if token.map is None or token.type not in ("html_block", "inline"):
            continue
        if token.type == "html_block":
            pieces += html_of_block(token.content)
            markers += _in_block(token.content, token.map[0], lines, token.level == 0)
        if _OFF.search(token.content) and "`" not in token.content:
            markers.append(CardMarker("off", token.map[0], False, False))
        if token.type == "inline" and "<" in token.content:
            html = list(html_of_text(token.content))
            pieces += html
            markers += [CardMarker(kind, token.map[0], False, False) for kind, _, _ in _comments("\n".join(html))]
    return ParsedBody(tuple(markers), left_open(pieces))


def _in_block(content: str, first: int, lines: list[str], outermost: bool) -> Iterator[CardMarker]:
    line, counted = first, 0
    for kind, start, end in _comments(content):
        line += content.count("\n", counted, start)
        counted = start
        begins = start == 0 or content[start - 1] == "\n"
        # `lines` contains the prefixes of quotations and lists
        alone = begins and lines[line].rstrip(" \t\r\n") == content[start:end]
        yield CardMarker(kind, line, alone, outermost and alone and line == first)


def _comments(html: str) -> Iterator[tuple[str, int, int]]:
    """Yields the kind, beginning and end of each comment that is a marker."""
    at = 0
    for found in _MARKER.finditer(html):
        if found.start() < at:
            continue  # within the previous comment
        end = html.find("-->", found.end())
        if end < 0:
            return
        at = end + 3
        yield found[1].lower(), found.start(), at
