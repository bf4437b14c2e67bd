"""Measures properties for claims that nothing differs: a pair counts only if the property can be determined in it.

In a run, a pair in which a property cannot be determined counts for neither side, so that it confirms nothing. Here the
same would speak for “no difference”, so such a pair has no readable verdict: one side has no value, the token limit
hides which value is larger, or a list of English words meets another language.
"""

from collections.abc import Iterator, Sequence

from diffing.methods.lexical.counted_pairs import CountedPair, PairCounter, comparisons_of
from diffing.methods.lexical.measured_property import MeasuredProperty
from diffing.methods.lexical.parsed_response import is_measurable
from diffing.methods.lexical.properties import BY_NAME
from diffing.methods.lexical.property_comparison import PropertyComparisons, judgements_of
from diffing.methods.lexical.wording_properties import WORDING
from diffing.metrics import VerdictKind
from diffing.types import Hypothesis, Judgement, Pair, PropertyMeasure, Verdict

_ENGLISH = (None, "English")
"""Languages of responses in which English words are sought; a short response may have none that can be detected."""


def measure_determined(hypotheses: Sequence[Hypothesis], pairs: Sequence[Pair]) -> list[Judgement]:
    """Returns one verdict for each hypothesis on a property and each pair, ordered by hypothesis, then pair.

    Args:
        hypotheses: Hypotheses with a `PropertyMeasure` of the lexical method.
        pairs: The pairs.
    """
    measurable = [pair for pair in pairs if is_measurable(pair)]
    counted = PairCounter().count(measurable)
    judgements: list[Judgement] = []
    for hypothesis in hypotheses:
        assert isinstance(hypothesis.measure, PropertyMeasure)
        known = dict(zip(measurable, _verdicts(BY_NAME[hypothesis.measure.name], counted), strict=True))
        kinds = (known.get(pair, _UNKNOWN) for pair in pairs)
        judgements += judgements_of(hypothesis.id, pairs, [True] * len(pairs), kinds)
    return judgements


_UNKNOWN: VerdictKind = (Verdict.UNREADABLE, None, None)


def _verdicts(measured: MeasuredProperty, counted: Sequence[CountedPair]) -> Iterator[VerdictKind]:
    comparisons = comparisons_of(measured, counted)
    for kind, known in zip(comparisons, _determined(measured, comparisons, counted), strict=True):
        yield kind if known else _UNKNOWN


def _determined(
    measured: MeasuredProperty, comparisons: PropertyComparisons, counted: Sequence[CountedPair]
) -> Iterator[bool]:
    """Tells for each pair whether both sides have a value that can be compared, and are in a language it can read."""
    import numpy as np

    for values, each in zip(comparisons.compared, counted, strict=True):
        yield not np.isnan(values).any() and (
            measured not in WORDING or all(language in _ENGLISH for language in each.languages)
        )
