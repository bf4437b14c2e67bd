"""Compares a property between the two responses of pairs: who has more of it, in all and per word."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from diffing.methods.lexical.measured_property import MeasuredProperty
from diffing.methods.lexical.measured_values import ResponseBlock, values_in
from diffing.methods.lexical.parsed_response import ParsedPair
from diffing.metrics import VerdictKind
from diffing.metrics.unequal_chances import chances_of_more_per_word
from diffing.types import Judgement, Pair, Side, Verdict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

JUDGE = "measured"
"""The value of `Judgement.judge` in all verdicts of the lexical method."""
VERDICTS = (Verdict.NEITHER, Verdict.A, Verdict.B)
"""Verdicts by their number in `PropertyComparisons`."""
_SIDES: tuple[Side | None, ...] = (None, "a", "b")


@dataclass(frozen=True)
class PropertyComparisons:
    """One property, measured on side a and side b of some pairs. NaN stands for what is unknown."""

    whole: "NDArray[np.float64]"
    """The values in the whole responses; shape (pairs, 2)."""
    compared: "NDArray[np.float64]"
    """The values that decide: within the same number of words or sentences if the property is matched, else `whole`;
    NaN if the token limit makes it unknown which value is larger; shape (pairs, 2)."""
    words: "NDArray[np.int64] | None" = None
    """The numbers of words that could be such a sign, if the property is a count; shape (pairs, 2)."""

    @cached_property
    def verdicts(self) -> "NDArray[np.int8]":
        """The numbers of the verdicts (see `VERDICTS`): who has more, and if it is a count, both in all and per word.

        There is no tolerance: a chance difference is equally likely for either side, and the sign test accounts for it.
        """
        more = _larger(*self.compared.T)
        return more if self.words is None else more * (more == self.per_word)

    @cached_property
    def per_word(self) -> "NDArray[np.int8]":
        """The side that has more per word, if the property is a count and one side has more in all: 0, 1 or 2."""
        import numpy as np

        if self.words is None:
            return np.zeros(len(self.whole), dtype=np.int8)
        (a, b), (words_a, words_b) = self.compared.T, np.maximum(self.words, 1).T
        more: NDArray[np.int8] = _larger(a * words_b, b * words_a) * (a != b)  # exact, unlike quotients
        return more

    @cached_property
    def chances(self) -> list[float | None]:
        """See `Judgement.chance_a`."""
        import numpy as np

        chances: list[float | None] = [None] * len(self.whole)
        places = np.flatnonzero(self.per_word)
        if self.words is None or not len(places):
            return chances
        signs = np.rint(self.compared[places].sum(axis=1)).astype(np.int64)
        for place, chance in zip(places.tolist(), chances_of_more_per_word(signs, self.words[places]), strict=True):
            chances[place] = chance
        return chances

    def kinds(self) -> Counter[VerdictKind]:
        """How often there is each combination of verdict, side with more per word, and chance."""
        return Counter(self)

    def __iter__(self) -> Iterator[VerdictKind]:
        verdicts = map(VERDICTS.__getitem__, self.verdicts.tolist())
        return zip(verdicts, map(_SIDES.__getitem__, self.per_word.tolist()), self.chances, strict=True)


def compare_property(measured: MeasuredProperty, readings: Sequence[ParsedPair]) -> PropertyComparisons:
    """Measures a property on both sides of pairs, in whole responses and at equal length if necessary."""
    return compare_in(measured, readings, ResponseBlock([side for each in readings for side in each.whole]))


def compare_in(measured: MeasuredProperty, readings: Sequence[ParsedPair], block: ResponseBlock) -> PropertyComparisons:
    """Does the same as `compare_property` if the block holds both whole responses of each pair in turn."""
    import numpy as np

    whole = _array(values_in(measured.value, block))
    match measured.scale:
        case "untested":
            return PropertyComparisons(whole, np.full_like(whole, np.nan))
        case "matched":
            return PropertyComparisons(whole, _array([measured.value(side) for each in readings for side in each.ends]))
        case "matched sentences":
            spread = [measured.value(side) for each in readings for side in each.spread_sentences]
            return PropertyComparisons(whole, _array(spread))
        case "counts":
            words = np.array([side.words_in(measured.part) for side in block.exchanges], dtype=np.int64)
            return PropertyComparisons(whole, whole, words.reshape(-1, 2))
    if not measured.grows:
        return PropertyComparisons(whole, whole)
    cut = np.array([side.finish == "length" for side in block.exchanges], dtype=bool).reshape(-1, 2)
    return PropertyComparisons(whole, np.where(_larger_is_unknown(np.nan_to_num(whole), cut)[:, None], np.nan, whole))


def _array(values: Sequence[float | None]) -> "NDArray[np.float64]":
    import numpy as np

    return np.array(values, dtype=np.float64).reshape(-1, 2)


def _larger(a: "NDArray[np.float64]", b: "NDArray[np.float64]") -> "NDArray[np.int8]":
    """Returns 1 where the first value is larger, 2 where the second is, and 0 where neither is or one is unknown."""
    import numpy as np

    return (a > b).astype(np.int8) + 2 * (a < b).astype(np.int8)


def _larger_is_unknown(values: "NDArray[np.float64]", cut: "NDArray[np.bool_]") -> "NDArray[np.bool_]":
    """Tells whether the token limit cut the response with the smaller value, which might have become the larger."""
    (a, b), (cut_a, cut_b) = values.T, cut.T
    unknown: NDArray[np.bool_] = (cut_a & (a <= b)) | (cut_b & (b <= a))
    return unknown


def judgements_of(
    hypothesis_id: str, pairs: Sequence[Pair], measurable: Sequence[bool], kinds: Iterator[VerdictKind]
) -> Iterator[Judgement]:
    """Yields the verdict on each pair; UNREADABLE if one side has no response, since nothing could be measured."""
    for pair, answered in zip(pairs, measurable, strict=True):
        verdict, per_word, chance_a = next(kinds) if answered else (Verdict.UNREADABLE, None, None)
        yield Judgement(hypothesis_id, pair.prompt.id, verdict, JUDGE, None, None, True, per_word, chance_a)
