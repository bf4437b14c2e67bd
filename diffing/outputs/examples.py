"""Which pairs are shown for a finding, and where in a response its quotes stand. Knows no markup."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

from diffing.types import SIDES, Finding, Judgement, Pair, Response, Side, Verdict

Group: TypeAlias = Literal["for", "against", "neither"]
SHOWN: dict[Group, int] = {"for": 3, "against": 2, "neither": 1}
"""Examples per finding."""
_MOST_QUOTES = 100
_LEAD = 200
"""Characters shown before the first quote where a response has to be cut."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """One response, cut where it is too long, in pieces that are quoted or not."""

    response: Response
    """The whole response."""
    pieces: tuple[tuple[str, bool], ...]
    """Text, and whether it is a quoted passage; in order."""
    before: int
    """Characters cut off in front."""
    after: int
    """Characters cut off at the end."""
    missing: tuple[str, ...]
    """Quotes that are not in the text word for word."""


@dataclass(frozen=True, slots=True)
class Example:
    """One pair with its verdict."""

    pair: Pair
    """The prompt with both responses."""
    judgement: Judgement
    """The verdict."""
    excerpts: tuple[Excerpt, Excerpt]
    """Of A and of B."""


def examples(
    finding: Finding, judgements: Sequence[Judgement], pairs: Mapping[str, Pair], longest: int
) -> dict[Group, tuple[Example, ...]]:
    """A bounded choice of pairs for, against and neither.

    Pairs with a quoted passage come first, but leave room for one without; then held-out pairs, which are what the
    metrics rest on; each in the run's order.

    Args:
        finding: What is shown.
        judgements: The verdicts on it.
        pairs: By prompt id.
        longest: Characters of a response at most.
    """
    quoted = {evidence.prompt_id for evidence in finding.hypothesis.evidence}
    grouped: dict[Group, list[Judgement]] = {group: [] for group in SHOWN}
    for judgement in judgements:
        if judgement.verdict is not Verdict.UNREADABLE:
            side = judgement.verdict.side
            grouped["neither" if side is None else "for" if side == finding.hypothesis.direction else "against"].append(
                judgement
            )
    return {
        group: tuple(
            _example(finding, j, pairs[j.prompt_id], longest) for j in _choose(found, quoted, pairs, SHOWN[group])
        )
        for group, found in grouped.items()
    }


def _choose(
    judgements: Sequence[Judgement], quoted: set[str], pairs: Mapping[str, Pair], count: int
) -> Iterable[Judgement]:
    with_quote = [j for j in judgements if j.prompt_id in quoted][: max(count - 1, 1)]
    rest = [j for j in judgements if j not in with_quote]
    rest.sort(
        key=lambda j: pairs[j.prompt_id].prompt.split != "heldout"
    )  # stable: held-out first, else the run's order
    return [*with_quote, *rest][:count]


def _example(finding: Finding, judgement: Judgement, pair: Pair, longest: int) -> Example:
    def of(side: Side) -> Excerpt:
        quotes = [e.quote for e in finding.hypothesis.evidence if e.prompt_id == pair.prompt.id and e.side == side]
        return excerpt(pair.response(side), quotes, longest)

    a, b = (of(side) for side in SIDES)
    return Example(pair, judgement, (a, b))


def excerpt(response: Response, quotes: Sequence[str], longest: int) -> Excerpt:
    """A response with its quoted passages, cut to a length around the first of them.

    Args:
        response: What is quoted.
        quotes: Found exactly, else with other spaces and letter case; blank ones are none. Only the first hundred.
        longest: Characters at most.
    """
    text, passages = response.text, _Passages(response.text)
    said = list(dict.fromkeys(quote for quote in quotes if quote.strip()))
    found = {quote: passages.find(quote) for quote in said[:_MOST_QUOTES]}
    spans = _merged(span for span in found.values() if span is not None)
    start = 0
    if len(text) > longest and spans and spans[0][1] > longest:
        start = min(max(spans[0][0] - min(_LEAD, longest // 2), 0), len(text) - longest)
    end = min(start + longest, len(text))
    pieces, at = [], start
    for low, high in spans:
        low, high = max(low, at), min(high, end)
        if low < high:
            pieces += [(text[at:low], False), (text[low:high], True)]
            at = high
    pieces.append((text[at:end], False))
    return Excerpt(
        response=response,
        pieces=tuple(piece for piece in pieces if piece[0]),
        before=start,
        after=len(text) - end,
        missing=tuple(quote for quote, span in found.items() if span is None),
    )


class _Passages:
    """Finds quotes in a text that they were taken from, or that they are only said to be from.

    In time that grows with the lengths of both alone: reports of strangers hold texts and quotes that match for long.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    def find(self, quote: str) -> tuple[int, int] | None:
        """Where a quote stands: word for word, else with other spaces and letter case."""
        at = self._text.find(quote)
        if at >= 0:
            return at, at + len(quote)
        text, places = self._loose
        words, _ = _loosened(quote.strip())
        at = text.find(words)
        return None if at < 0 else (places[at], places[at + len(words) - 1] + 1)

    @cached_property
    def _loose(self) -> tuple[str, list[int]]:
        return _loosened(self._text)


def _loosened(text: str) -> tuple[str, list[int]]:
    """The text in small letters with one space for many, and the place of each of its signs."""
    signs, places, space = [], [], False
    for place, sign in enumerate(text):
        small = sign.lower()
        if not (space and sign.isspace()):
            signs.append(" " if sign.isspace() else small if len(small) == 1 else sign)
            places.append(place)
        space = sign.isspace()
    return "".join(signs), places


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans in order, overlapping ones joined."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(spans):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return merged
