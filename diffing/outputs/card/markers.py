"""The two comments between which a card's section stands, and the comment that keeps it away.

What stands in a code block or in inline code is text, not a marker: a Markdown parser says which is which. Knows
nothing of what the section says.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from markdown_it import MarkdownIt

NAME = "model-diff"
OPT_OUT = f"<!-- {NAME}: off -->"
"""In a card: no section is written."""
_END = f"<!-- {NAME}:end -->"
_COMMENT = re.compile(rf"<!--\s*{NAME}:\s*(begin|end|off)\b(.*?)-->", re.IGNORECASE | re.DOTALL)
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


def markers_in(text: str) -> list[Marker]:
    """The markers of a Markdown text without front matter, from top to bottom.

    Args:
        text: With whatever line endings; lines are counted as CommonMark does.
    """
    if NAME not in text.casefold():
        return []
    lines = _LINE_END.split(text)
    parser = MarkdownIt("commonmark")
    # only the lines that hold a marker are read for inline code: the rest of a long card costs nothing
    parser.core.ruler.enableOnly(["normalize", "block"])
    found = []
    for token in parser.parse(text):
        if token.map is None or NAME not in token.content.casefold():
            continue
        if token.type == "html_block":
            found += list(_in_block(token.content, token.map[0], lines, token.level == 0))
        elif token.type == "inline":
            children = MarkdownIt("commonmark").parseInline(token.content)[0].children or []
            html = "\n".join(child.content for child in children if child.type == "html_inline")
            found += [Marker(match[1].lower(), token.map[0], False, False) for match in _COMMENT.finditer(html)]
    return found


def _in_block(content: str, first: int, lines: list[str], outermost: bool) -> Iterator[Marker]:
    for match in _COMMENT.finditer(content):
        line = first + content.count("\n", 0, match.start())
        alone = lines[line].rstrip() == match.group()
        yield Marker(match[1].lower(), line, alone, outermost and alone and line == first)
