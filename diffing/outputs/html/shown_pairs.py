"""Chooses the held-out pairs that illustrate a finding at the top of the page, and marks the words that show it."""

from collections.abc import Sequence
from dataclasses import dataclass

from diffing.outputs.behaviour_words import metrics_shown, scope_of
from diffing.outputs.examples import Excerpt, excerpt
from diffing.outputs.marks import spans_that_show
from diffing.outputs.phrasing import count
from diffing.report.index import ReportIndex
from diffing.scopes.prompt_reading import meets
from diffing.types import SIDES, Finding, Pair

LONGEST = 1_500
"""Maximum number of characters of each response."""
_TYPICAL = 0.6
"""The pair's place among all pairs that show the finding, by length; the shortest ones would flatter."""
_TRIES = 12
"""Maximum number of pairs in which marks are looked for."""
_MOST = 6
"""Maximum number of pairs that are shown."""


@dataclass(frozen=True, slots=True)
class ShownPair:
    """A held-out pair that shows a finding."""

    pair: Pair
    """The prompt with both responses."""
    excerpts: tuple[Excerpt, Excerpt]
    """The responses of A and B, with the words that show the finding."""


@dataclass(frozen=True, slots=True)
class ShownPairs:
    """A few held-out pairs that show a finding."""

    pairs: tuple[ShownPair, ...]
    """The pairs, at least one; that of the most typical length is the first."""
    of: int
    """The number of held-out pairs that show the finding, in its scope if it has one."""


def shown_pairs(finding: Finding, index: ReportIndex) -> ShownPairs | None:
    """Chooses held-out pairs of typical length that show a finding, if possible with words to mark.

    Args:
        finding: The finding.
        index: The index of its report.

    Returns:
        The pairs; None if no held-out pair shows the finding.
    """
    pairs = sorted(_showing(finding, index), key=_length)
    if not pairs:
        return None
    near = _by_distance(pairs)
    chosen = [pair for pair in near if spans_that_show(finding, pair, finding.hypothesis.direction)] or near
    return ShownPairs(tuple(_shown(finding, pair) for pair in chosen[:_MOST]), metrics_shown(finding).k_for)


def _shown(finding: Finding, pair: Pair) -> ShownPair:
    a, b = (excerpt(pair.response(side), (), LONGEST, spans_that_show(finding, pair, side)) for side in SIDES)
    return ShownPair(pair, (a, b))


def length_in_words(text: str) -> str:
    """Returns the length of a text, such as "24 words"; in characters if it is written without spaces."""
    words = text.split()
    return count(len(text), "character") if len(text) > 20 * max(len(words), 1) else count(len(words), "word")


def _showing(finding: Finding, index: ReportIndex) -> list[Pair]:
    hypothesis, scope = finding.hypothesis, scope_of(finding)
    pairs = [
        index.pairs[each.prompt_id]
        for each in index.verdicts_on(hypothesis.id)
        if each.verdict.side == hypothesis.direction and each.in_scope
    ]
    heldout = [pair for pair in pairs if pair.prompt.split == "heldout"]
    if scope is None or scope.rule is None:
        return heldout
    return [pair for pair in heldout if meets(scope.rule, pair.prompt)]


def _length(pair: Pair) -> int:
    return len(pair.a.text) + len(pair.b.text)


def _middle(pairs: Sequence[Pair]) -> int:
    return int(_TYPICAL * (len(pairs) - 1))


def _by_distance(pairs: Sequence[Pair]) -> list[Pair]:
    places = sorted(range(len(pairs)), key=lambda place: abs(place - _middle(pairs)))
    return [pairs[place] for place in places[:_TRIES]]
