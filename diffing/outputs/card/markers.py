"""The two comments between which a card's section stands, and the comment that keeps it away.

What stands in a code block or in inline code is text, not a marker: a Markdown parser says which is which. Knows
nothing of what the section says.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from markdown_it import MarkdownIt

from diffing.outputs.card.html_spans import html_of_block, html_of_text, left_open

NAME = "model-diff"
OPT_OUT = f"<!-- {NAME}: off -->"
"""In a card: no section is written."""
_END = f"<!-- {NAME}:end -->"
_MARKER = re.compile(rf"<!--\s*{NAME}:\s*(begin|end|off)\b", re.IGNORECASE)
_OFF = re.compile(rf"\b{NAME.replace('-', '[-_]')}\s*[:=]\s*['\"]?(?:off|false|no)\b", re.IGNORECASE)
"""The wish for no section where it is no marker: in other comments, or in YAML that is not read as such."""
_HASH = re.compile(r"\bsha256=([0-9a-f]{16})\b")
_LINE_END = re.compile(r"\r\n|\r|\n")
_UNSAFE = re.compile(r"[^\w./@+:-]|(?<=-)-", re.ASCII)


@dataclass(frozen=True, slots=True)
class Marker:
    """One marker of a card."""

    kind: str
    """`begin`, `end` or `off`."""
    line: int
    """The line on which it begins, from 0."""
    alone: bool
    """Whether it is all of its line."""
    first: bool
    """Whether an HTML block of its own begins with it, outside lists and quotations."""


def between_markers(content: str, names: dict[str, str]) -> str:
    """A section: the content between its markers, of which the first holds a hash of it.

    Args:
        content: Markdown with a newline at its end.
        names: What else the first marker tells machines.
    """
    told = "".join(f" {key}={_UNSAFE.sub('_', value)}" for key, value in names.items())
    return f"<!-- {NAME}:begin{told} sha256={digest(content)} -->\n{content}{_END}"


def digest(content: str) -> str:
    """What tells content from any other; line endings do not count, since tools convert them."""
    return hashlib.sha256(unified(content).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def hash_in(begin: str) -> str | None:
    """The hash that a first marker holds, if it does."""
    found = _HASH.search(begin)
    return found[1] if found else None


def unified(text: str) -> str:
    """Text with line feeds for line endings."""
    return _LINE_END.sub("\n", text)


@dataclass(frozen=True, slots=True)
class ParsedBody:
    """What a card holds below its front matter, as far as it matters to a section."""

    markers: tuple[Marker, ...]
    """From top to bottom."""
    left_open: str | None
    """An HTML element that is not closed, which would hold what is written after it."""


def body_of(text: str) -> ParsedBody:
    """Reads a Markdown text without front matter, in time that grows with its length alone.

    Args:
        text: With whatever line endings; lines are counted as CommonMark does.
    """
    lines = _LINE_END.split(text)
    parser = MarkdownIt("commonmark")
    # paragraphs are not read: `html_of_text` finds what is needed of them. Definitions of links neither: a paragraph of
    # them is read anew for each
    parser.core.ruler.enableOnly(["normalize", "block"])
    parser.block.ruler.disable("reference")
    markers: list[Marker] = []
    pieces: list[str] = []
    for token in parser.parse(text):
        if token.map is None or token.type not in ("html_block", "inline"):
            continue
        if token.type == "html_block":
            pieces += html_of_block(token.content)
            markers += _in_block(token.content, token.map[0], lines, token.level == 0)
        if _OFF.search(token.content) and "`" not in token.content:
            markers.append(Marker("off", token.map[0], False, False))
        if token.type == "inline" and "<" in token.content:
            html = list(html_of_text(token.content))
            pieces += html
            markers += [Marker(kind, token.map[0], False, False) for kind, _, _ in _comments("\n".join(html))]
    return ParsedBody(tuple(markers), left_open(pieces))


def _in_block(content: str, first: int, lines: list[str], outermost: bool) -> Iterator[Marker]:
    line, counted = first, 0
    for kind, start, end in _comments(content):
        line += content.count("\n", counted, start)
        counted = start
        begins = start == 0 or content[start - 1] == "\n"
        # `lines` has what a quotation or a list puts before it
        alone = begins and lines[line].rstrip() == content[start:end]
        yield Marker(kind, line, alone, outermost and alone and line == first)


def _comments(html: str) -> Iterator[tuple[str, int, int]]:
    """Kind, beginning and end of each comment that is a marker."""
    at = 0
    for found in _MARKER.finditer(html):
        if found.start() < at:
            continue  # within the one before
        end = html.find("-->", found.end())
        if end < 0:
            return
        at = end + 3
        yield found[1].lower(), found.start(), at
