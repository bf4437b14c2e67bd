"""Measures properties for claims that nothing differs: a pair counts only if the property can be determined in it.

In a run, a pair in which a property cannot be determined counts for neither side, so that it confirms nothing. Here the
same would speak for “no difference”, so such a pair has no readable verdict: one side has no value, the token limit
hides which value is larger, or a list of English words meets another language.
"""

from collections.abc import Iterator, Sequence

from diffing.methods.lexical.measured_property import Property
from diffing.methods.lexical.parsed_response import PairReading, is_measurable, read_pair
from diffing.methods.lexical.properties import BY_NAME
from diffing.methods.lexical.property_comparison import compare_property, judgements_of
from diffing.methods.lexical.wording_properties import WORDING
from diffing.types import Hypothesis, Judgement, Pair, PropertyMeasure

_ENGLISH = (None, "English")
"""Languages of responses in which English words are sought; a short response may have none that can be detected."""


def measure_determined(hypotheses: Sequence[Hypothesis], pairs: Sequence[Pair]) -> list[Judgement]:
    """Returns one verdict for each hypothesis on a property and each pair, ordered by hypothesis, then pair.

    Args:
        hypotheses: Hypotheses with a `PropertyMeasure` of the lexical method.
        pairs: The pairs.
    """
    readings = [read_pair(pair) if is_measurable(pair) else None for pair in pairs]
    return [each for hypothesis in hypotheses for each in _verdicts(hypothesis, pairs, readings)]


def _verdicts(
    hypothesis: Hypothesis, pairs: Sequence[Pair], readings: Sequence[PairReading | None]
) -> Iterator[Judgement]:
    assert isinstance(hypothesis.measure, PropertyMeasure)
    measured = BY_NAME[hypothesis.measure.name]
    answered = [reading for reading in readings if reading is not None]
    comparisons = compare_property(measured, answered)
    known = (comparisons.compared == comparisons.compared).all(axis=1).tolist()  # NaN is unequal to itself
    determined = iter([each and _is_read(measured, pair) for each, pair in zip(known, answered, strict=True)])
    kinds, told = iter(comparisons), []
    flags = [reading is not None and next(determined) for reading in readings]
    for reading, flag in zip(readings, flags, strict=True):
        kind = next(kinds) if reading is not None else None
        if kind is not None and flag:
            told.append(kind)
    yield from judgements_of(hypothesis.id, pairs, flags, iter(told))


def _is_read(measured: Property, reading: PairReading) -> bool:
    """Whether both responses are in a language in which the property's words are sought."""
    return measured not in WORDING or all(side.language in _ENGLISH for side in reading.whole)
