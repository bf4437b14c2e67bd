"""Chooses the example pairs that are shown for a finding, and marks its quotes in the responses.

The result is plain data; each output turns it into its own markup.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

from diffing.judgements import EncodedColumn, Judgements
from diffing.outputs.marks import has_marks, spans_that_show
from diffing.report.index import ReportIndex
from diffing.types import SIDES, Finding, Judgement, Pair, Response, Side, Verdict

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

T = TypeVar("T")
Group: TypeAlias = Literal["for", "against", "neither"]
EXAMPLES_SHOWN: dict[Group, int] = {"for": 3, "against": 2, "neither": 1}
"""Maximum number of examples per finding, for each kind of verdict."""
_MOST_QUOTES = 100
_OUTSIDE, _UNQUOTED = 4, 1
"""What a verdict's rank holds if its prompt is outside the finding's scope, and if it has no quote."""
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
    finding: Finding, verdicts: Judgements, index: ReportIndex, longest: int
) -> dict[Group, tuple[PairExample, ...]]:
    """Chooses a few pairs whose verdict is for, against or neither.

    Held-out pairs, on which the metrics rest, come first; within them those with a quoted passage. Pairs outside the
    finding's scope come last. If several are shown, and only quotes from train pairs show the finding in words, the
    last one is such a pair.

    Args:
        finding: The finding to illustrate.
        verdicts: The verdicts on this finding.
        index: The index of the report.
        longest: Maximum number of characters of a response.
    """
    import numpy as np

    quoted = set() if has_marks(finding) else {evidence.prompt_id for evidence in finding.hypothesis.evidence}
    group_of_row = _by_row([_group(verdict, finding) for verdict in verdicts.verdicts.values], verdicts.verdicts)
    ranks = _ranks(verdicts, quoted, index)
    chosen: dict[Group, tuple[PairExample, ...]] = {}
    for group, count in EXAMPLES_SHOWN.items():
        rows = np.flatnonzero(group_of_row == group)
        ranked = rows[np.argsort(ranks[rows], kind="stable")]  # stable: among equals the run's order stays
        judgements = [verdicts[row] for row in _choose(ranked.tolist(), ranks, count)]
        chosen[group] = tuple(_example(finding, each, index.pairs[each.prompt_id], longest) for each in judgements)
    return chosen


def _group(verdict: Verdict, finding: Finding) -> Group | Literal[""]:
    if verdict is Verdict.UNREADABLE:
        return ""
    if verdict.side is None:
        return "neither"
    return "for" if verdict.side == finding.hypothesis.direction else "against"


def _ranks(verdicts: Judgements, quoted: set[str], index: ReportIndex) -> "npt.NDArray[np.int8]":
    """The order of preference of each verdict, 0 being the best: in scope, then held-out, then with a quote."""
    import numpy as np

    prompt_ids = verdicts.prompt_ids
    train = (index.domain_codes(prompt_ids.values) > len(index.domains))[prompt_ids.codes]
    unquoted = _by_row([prompt_id not in quoted for prompt_id in prompt_ids.values], prompt_ids)
    outside = _by_row([not in_scope for in_scope in verdicts.in_scope.values], verdicts.in_scope)
    ranks: npt.NDArray[np.int8] = (_OUTSIDE * outside + 2 * train + _UNQUOTED * unquoted).astype(np.int8)
    return ranks


def _by_row(of_value: Sequence[T], column: EncodedColumn[Any]) -> "npt.NDArray[Any]":
    """What belongs to the value of each row, from what belongs to each distinct value of the column."""
    import numpy as np

    return np.array(of_value)[column.codes]


def _choose(ranked: Sequence[int], ranks: "npt.NDArray[np.int8]", count: int) -> Sequence[int]:
    """Chooses the first rows, and the first with a quote in place of the last of them if none of them has one."""
    chosen, rest = ranked[:count], ranked[count:]
    with_quote = next((row for row in rest if ranks[row] < _OUTSIDE and not ranks[row] & _UNQUOTED), None)
    if count > 1 and with_quote is not None and all(ranks[row] & _UNQUOTED for row in chosen):
        return [*chosen[:-1], with_quote]
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
