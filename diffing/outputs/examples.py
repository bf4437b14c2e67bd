"""Chooses the example pairs that are shown for a finding, and marks its quotes in the responses.

The result is plain data; each output turns it into its own markup.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

from diffing.outputs.marks import has_marks, spans_that_show
from diffing.types import SIDES, Finding, Judgement, Pair, Response, Side, Verdict

Group: TypeAlias = Literal["for", "against", "neither"]
EXAMPLES_SHOWN: dict[Group, int] = {"for": 3, "against": 2, "neither": 1}
"""Maximum number of examples per finding, for each kind of verdict."""
_MOST_QUOTES = 100
_LEAD = 200
"""Number of characters shown before the first quote if a response has to be cut."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """One response, cut if it is too long, in pieces that are quoted or not."""

    response: Response
    """The whole response."""
    pieces: tuple[tuple[str, bool], ...]
    """Pieces of text in order, each with whether it is a quoted passage."""
    before: int
    """Number of characters cut off at the beginning."""
    after: int
    """Number of characters cut off at the end."""
    missing: tuple[str, ...]
    """Quotes that the response does not contain."""


@dataclass(frozen=True, slots=True)
class PairExample:
    """One pair of responses with its verdict."""

    pair: Pair
    """The prompt with both responses."""
    judgement: Judgement
    """The verdict on this pair."""
    excerpts: tuple[Excerpt, Excerpt]
    """The excerpts of A's and of B's response."""


def examples(
    finding: Finding, judgements: Sequence[Judgement], pairs: Mapping[str, Pair], longest: int
) -> dict[Group, tuple[PairExample, ...]]:
    """Chooses a few pairs whose verdict is for, against or neither.

    Held-out pairs, on which the metrics rest, come first; within them those with a quoted passage. Pairs outside the
    finding's scope come last. If several are shown, and only quotes from train pairs show the finding in words, the
    last one is such a pair.

    Args:
        finding: The finding to illustrate.
        judgements: The verdicts on this finding.
        pairs: All pairs, by prompt id.
        longest: Maximum number of characters of a response.
    """
    quoted = set() if has_marks(finding) else {evidence.prompt_id for evidence in finding.hypothesis.evidence}
    grouped: dict[Group, list[Judgement]] = {group: [] for group in EXAMPLES_SHOWN}
    for judgement in judgements:
        if judgement.verdict is not Verdict.UNREADABLE:
            side = judgement.verdict.side
            grouped["neither" if side is None else "for" if side == finding.hypothesis.direction else "against"].append(
                judgement
            )
    return {
        group: tuple(
            _example(finding, j, pairs[j.prompt_id], longest)
            for j in _choose(found, quoted, pairs, EXAMPLES_SHOWN[group])
        )
        for group, found in grouped.items()
    }


def _choose(
    judgements: Sequence[Judgement], quoted: set[str], pairs: Mapping[str, Pair], count: int
) -> Iterable[Judgement]:
    def rank(judgement: Judgement) -> tuple[bool, bool, bool]:
        train = pairs[judgement.prompt_id].prompt.split != "heldout"
        return not judgement.in_scope, train, judgement.prompt_id not in quoted

    ranked = sorted(judgements, key=rank)  # stable: within each group the run's order stays
    chosen, rest = ranked[:count], ranked[count:]
    with_quote = [j for j in rest if j.prompt_id in quoted and j.in_scope][:1]
    if count > 1 and with_quote and all(j.prompt_id not in quoted for j in chosen):
        return [*chosen[:-1], *with_quote]
    return chosen


def _example(finding: Finding, judgement: Judgement, pair: Pair, longest: int) -> PairExample:
    def of(side: Side) -> Excerpt:
        quotes = [e.quote for e in finding.hypothesis.evidence if e.prompt_id == pair.prompt.id and e.side == side]
        return excerpt(pair.response(side), quotes, longest, spans_that_show(finding, pair, side))

    a, b = (of(side) for side in SIDES)
    return PairExample(pair, judgement, (a, b))


def excerpt(response: Response, quotes: Sequence[str], longest: int, shown: Sequence[tuple[int, int]] = ()) -> Excerpt:
    """Marks passages of a response, and cuts it to a length around the first of them.

    Args:
        response: The response from which the quotes were taken.
        quotes: Each is looked for exactly, then with other spaces and letter case. Blank quotes are ignored, and only
            the first hundred are looked for.
        longest: Maximum number of characters.
        shown: The positions of further passages to mark, as `marks.spans_that_show` finds them; if there are
            any, they are marked in place of the quotes, which have more words around them.
    """
    text, passages = response.text, _Passages(response.text)
    distinct = list(dict.fromkeys(quote for quote in quotes if quote.strip()))
    span_of_quote = {quote: passages.find(quote) for quote in distinct[:_MOST_QUOTES]}
    spans = _merged(shown or (span for span in span_of_quote.values() if span is not None))
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
        missing=tuple(quote for quote, span in span_of_quote.items() if span is None),
    )


class _Passages:
    """Finds quotes in the text from which they were taken, or from which they are only claimed to be.

    The time is linear in the lengths of both, because a stranger's report can hold texts and quotes that match for
    long stretches.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    def find(self, quote: str) -> tuple[int, int] | None:
        """Returns the span of a quote, found exactly or else with other spaces and letter case; None if absent."""
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
    """Returns the text in lower case with runs of spaces collapsed, and the original position of each character."""
    signs, places, space = [], [], False
    for place, sign in enumerate(text):
        small = sign.lower()
        if not (space and sign.isspace()):
            signs.append(" " if sign.isspace() else small if len(small) == 1 else sign)
            places.append(place)
        space = sign.isspace()
    return "".join(signs), places


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Returns the spans in order, with overlapping ones joined."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(spans):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return merged
