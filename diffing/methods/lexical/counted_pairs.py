"""Counts everything in pairs of responses once for all steps of a run, in blocks, and keeps only numbers and words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from diffing.methods.lexical.measured_property import MeasuredProperty
from diffing.methods.lexical.measured_values import ResponseBlock
from diffing.methods.lexical.parsed_response import ParsedPair, read_pair
from diffing.methods.lexical.phrase_table import PairWords
from diffing.methods.lexical.properties import PROPERTIES
from diffing.methods.lexical.property_comparison import PropertyComparisons, compare_in
from diffing.types import Pair

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_BLOCK = 250
"""Pairs that are read at once; parsed, one takes about 30 kB."""
_KEPT = 20_000
"""Pairs of which the counts are kept for the next step of a run; one takes about 10 kB."""


@dataclass(frozen=True, slots=True)
class CountedPair:
    """What was counted in both responses of a pair; each array has one row per property and one column per side."""

    whole: "NDArray[np.float64]"
    """See `PropertyComparisons.whole`."""
    compared: "NDArray[np.float64]"
    """See `PropertyComparisons.compared`."""
    words_in_parts: "NDArray[np.int32]"
    """See `PropertyComparisons.words`; 0 if the property is no count."""
    words: PairWords
    """The words."""
    languages: tuple[str | None, str | None]
    """See `ParsedResponse.language`."""


class PairCounter:
    """Counts pairs, and keeps the counts."""

    def __init__(self) -> None:
        self._counted: dict[Pair, CountedPair] = {}

    def count(self, pairs: Sequence[Pair]) -> list[CountedPair]:
        """Counts the pairs that are not counted yet, and returns the counts of all."""
        found = {pair: self._counted[pair] for pair in pairs if pair in self._counted}
        missing = [pair for pair in pairs if pair not in found]
        for first in range(0, len(missing), _BLOCK):
            block = missing[first : first + _BLOCK]
            found.update(zip(block, _count(list(map(read_pair, block))), strict=True))
        self._counted.update(found)
        while len(self._counted) > _KEPT:
            del self._counted[next(iter(self._counted))]
        return [found[pair] for pair in pairs]


def words_of_pair(reading: ParsedPair) -> PairWords:
    """Returns the words of both responses of a pair."""
    (a, b), (end_a, end_b) = reading.whole, reading.ends
    counts = (a.words_in("text"), b.words_in("text"))
    return PairWords((a.running, b.running), (end_a.running, end_b.running), counts)


def comparisons_of(measured: MeasuredProperty, counted: Sequence[CountedPair]) -> PropertyComparisons:
    """Returns how a property compares between the sides of counted pairs."""
    import numpy as np

    row = PROPERTIES.index(measured)
    whole = np.array([each.whole[row] for each in counted]).reshape(-1, 2)
    compared = np.array([each.compared[row] for each in counted]).reshape(-1, 2)
    if measured.scale != "counts":
        return PropertyComparisons(whole, compared)
    words = np.array([each.words_in_parts[row] for each in counted], dtype=np.int64)
    return PropertyComparisons(whole, compared, words.reshape(-1, 2))


def _count(readings: Sequence[ParsedPair]) -> Iterator[CountedPair]:
    """Measures all properties in the pairs of a block."""
    import numpy as np

    block = ResponseBlock([side for each in readings for side in each.whole])
    every = [compare_in(each, readings, block) for each in PROPERTIES]
    whole = np.stack([each.whole for each in every], axis=1)
    compared = np.stack([each.compared for each in every], axis=1)
    nothing = np.zeros((len(readings), 2), dtype=np.int32)
    words = np.stack(
        [nothing if each.words is None else each.words.astype(np.int32) for each in every], axis=1, dtype=np.int32
    )
    for place, reading in enumerate(readings):
        a, b = reading.whole
        languages = (a.language, b.language)
        yield CountedPair(whole[place], compared[place], words[place], words_of_pair(reading), languages)
