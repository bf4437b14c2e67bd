"""Finds the words in which two responses differ, by their longest common subsequence of words.

The time is bounded whatever the texts hold: `difflib`, whose worst case is cubic in repetitive texts, is not used.
"""

import re
from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from diffing.outputs.examples import Excerpt

Span: TypeAlias = tuple[int, int]
ExcerptPiece: TypeAlias = tuple[bool, tuple[tuple[str, bool], ...]]
"""Whether a passage shows the finding; and its parts, each with whether the other response lacks it."""
MOST_WORDS = 1_000
"""Maximum number of words of each response that are compared, the first ones."""
_READ = 10_000
"""Maximum number of characters of each response that are compared."""
_UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
# letters of scripts that are written without spaces are words of their own, as each punctuation mark is
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+|[^\w\s]|_")


@dataclass(frozen=True, slots=True)
class WordDiff:
    """Where two responses differ."""

    a: tuple[Span, ...]
    """The passages that only A's response has, in order, as (start, end) positions in its text."""
    b: tuple[Span, ...]
    """Those that only B's response has."""
    whole: bool
    """Whether both responses were compared as a whole, not only their beginnings."""

    def of(self, side: str) -> tuple[Span, ...]:
        """The passages of one side."""
        return self.a if side == "a" else self.b


def word_diff(a: str, b: str) -> WordDiff:
    """Compares two responses word by word; letter case counts, spaces do not.

    Args:
        a: A's response.
        b: B's response.
    """
    (words_a, whole_a), (words_b, whole_b) = _words(a), _words(b)
    common_a, common_b = _common([a[slice(*span)] for span in words_a], [b[slice(*span)] for span in words_b])
    return WordDiff(_runs(words_a, common_a), _runs(words_b, common_b), whole_a and whole_b)


def excerpts_diff(a: Excerpt, b: Excerpt) -> WordDiff:
    """Compares two responses up to where their excerpts end.

    Args:
        a: The excerpt of A's response.
        b: That of B's response.
    """
    texts = [each.response.text[: len(each.response.text) - each.after] for each in (a, b)]
    found = word_diff(*texts)
    return replace(found, whole=found.whole and not a.after and not b.after)


def excerpt_pieces(excerpt: Excerpt, differs: Sequence[Span]) -> tuple[ExcerptPiece, ...]:
    """Splits an excerpt where what shows the finding, or what the other response lacks, begins or ends.

    Args:
        excerpt: The excerpt, in pieces that show the finding or not.
        differs: The passages of the whole response that the other one lacks, in order.
    """
    pieces, at = [], excerpt.before
    for text, marked in excerpt.pieces:
        pieces.append((marked, tuple(_parts(text, at, differs))))
        at += len(text)
    return tuple(pieces)


def _parts(text: str, at: int, differs: Sequence[Span]) -> Iterator[tuple[str, bool]]:
    """The parts of a passage that begins at a place of its response."""
    done = 0
    for low, high in differs[bisect(differs, at, key=lambda span: span[1]) :]:
        start, end = max(low - at, done), min(high - at, len(text))
        if start >= len(text):
            break
        if start > done:
            yield text[done:start], False
        yield text[start:end], True
        done = end
    if done < len(text):
        yield text[done:], False


def _words(text: str) -> tuple[list[Span], bool]:
    """The positions of the first words, and whether they are all."""
    found: list[Span] = []
    for match in _WORD.finditer(text[:_READ]):
        if len(found) == MOST_WORDS:
            return found, False
        found.append(match.span())
    return found, len(text) <= _READ


def _common(a: Sequence[str], b: Sequence[str]) -> tuple[set[int], set[int]]:
    """The places of a longest common subsequence in both.

    Rows of the table of lengths are integers whose bits tell where the length grows, so that the time is that of
    len(a) operations on integers of len(b) bits, whatever the words.

    Source: Hyyro (2004), Bit-parallel LCS-length computation revisited, AWOCA.
    """
    places: dict[str, int] = {}
    for place, word in enumerate(b):
        places[word] = places.get(word, 0) | 1 << place
    every = (1 << len(b)) - 1
    row, rows = every, [every]  # a bit is 0 where the length grows
    for word in a:
        matched = row & places.get(word, 0)
        row = ((row + matched) | (row - matched)) & every
        rows.append(row)
    return _traced(rows, len(b))


def _traced(rows: Sequence[int], width: int) -> tuple[set[int], set[int]]:
    """Follows the table of lengths back from its end."""
    common_a, common_b = set(), set()
    i, j = len(rows) - 1, width
    while i and j:
        if rows[i] >> (j - 1) & 1:  # the length does not grow at this word of b
            j -= 1
        elif not rows[i - 1] >> (j - 1) & 1:  # nor was this word of a needed for it
            i -= 1
        else:
            i, j = i - 1, j - 1
            common_a.add(i)
            common_b.add(j)
    return common_a, common_b


def _runs(words: Sequence[Span], common: set[int]) -> tuple[Span, ...]:
    """The passages of neighbouring words that are not common."""
    runs: list[Span] = []
    last = -2
    for place, (low, high) in enumerate(words):
        if place in common:
            continue
        if place == last + 1:
            low = runs.pop()[0]
        runs.append((low, high))
        last = place
    return tuple(runs)
