"""Finds the HTML comments and tags in Markdown text, except those within inline code.

It reads a text once from beginning to end, because a stranger's card may contain anything any number of times. Code
blocks are left to the Markdown parser.
"""

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

_HTML = re.compile(r"<!--|</?[a-zA-Z][^<>]*>")
_INLINE = re.compile(r"\\[!-/:-@\[-`{-~]|`+|" + _HTML.pattern)
_UNFINISHED = re.compile(r"</?[a-zA-Z][^<>]*\Z")
_RUN = re.compile("`+")
_ELEMENT = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_HOLDERS = frozenset(
    (
        "a abbr article aside b big blockquote button center cite code del details dfn dialog div dl em fieldset "
        "figcaption figure font footer form h1 h2 h3 h4 h5 h6 header i iframe ins kbd main map mark math menu meter "
        "nav nobr noscript object ol picture pre progress q ruby s samp script section select small span strike strong "
        "style sub summary sup svg table template textarea title tt u ul var video audio canvas"
    ).split()
)
"""Elements that contain everything up to their closing tag. HTML closes the others (`p`, `li`, `tr` ...) by itself, or
they are empty."""


def html_of_block(content: str) -> Iterator[str]:
    """Yields the comments and tags of an HTML block in order.

    Args:
        content: The block's source text.
    """
    yield from _pieces(content, _HTML)
    if unfinished := _UNFINISHED.search(content):  # the text after it becomes its attributes, up to the next >
        yield unfinished[0]


def html_of_text(content: str) -> Iterator[str]:
    """Yields the comments and tags within a paragraph or a heading, except those in inline code.

    Args:
        content: The source text of the paragraph or heading.
    """
    return _pieces(content, _INLINE)


def left_open(pieces: Iterable[str]) -> str | None:
    """Returns an element that is opened and not closed; None if there is none.

    Args:
        pieces: The comments and tags of a whole text in order.
    """
    opened: Counter[str] = Counter()
    for piece in pieces:
        found = _ELEMENT.match(piece)
        if found is None or (name := found[2].lower()) not in _HOLDERS:
            continue
        if not found[1]:
            opened[name] += 1
        elif opened[name]:
            opened[name] -= 1
    return next((name for name, number in opened.items() if number), None)


def _pieces(content: str, pattern: re.Pattern[str]) -> Iterator[str]:
    at, closers, comments = 0, _CodeEnds(content), True
    while found := pattern.search(content, at):
        sign, at = found.group(), found.end()
        if sign == "<!--":
            # if no comment ends after this point, none is looked for again
            end = content.find("-->", found.start() + 2) if comments else -1
            comments = end >= 0
            if comments:
                at = end + 3
                yield content[found.start() : at]
        elif sign.startswith("`"):
            at = closers.after(len(sign), at)
        elif sign.startswith("<"):
            yield sign


class _CodeEnds:
    """Finds the end of inline code: the next run of as many backticks as at its beginning."""

    def __init__(self, content: str) -> None:
        self._content = content
        self._runs: dict[int, list[int]] | None = None

    def after(self, ticks: int, at: int) -> int:
        """Returns the position after the code; if it has no end it is not code, and `at` is returned."""
        if self._runs is None:
            self._runs = defaultdict(list)
            for run in _RUN.finditer(self._content):
                self._runs[run.end() - run.start()].append(run.start())
        starts = self._runs.get(ticks, [])
        place = bisect_left(starts, at)
        return starts[place] + ticks if place < len(starts) else at
