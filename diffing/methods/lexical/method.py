"""The lexical method: finds measured properties, words and phrases that differ; it is deterministic and uses no model.

It finds only what can be counted. Its word lists are English; the detection of languages and phrases is not limited to
English.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from diffing.methods.base import Measurements, MeasuresByValue
from diffing.methods.lexical.counted_pairs import CountedPair, PairCounter, comparisons_of
from diffing.methods.lexical.hypotheses import candidates_of, of_phrase, of_property, on_train
from diffing.methods.lexical.parsed_response import is_measurable, read_response
from diffing.methods.lexical.phrases import Phrase, PhraseSearch, compare_phrase, find_phrases
from diffing.methods.lexical.properties import BY_NAME, PROPERTIES
from diffing.methods.lexical.property_comparison import judgements_of
from diffing.methods.lexical.property_results import PropertyResult
from diffing.methods.lexical.shown_sentences import ShownSentences
from diffing.methods.lexical.stages import MEASURE
from diffing.metrics import VerdictKind
from diffing.types import (
    Discovery,
    Hypothesis,
    Judgement,
    Measure,
    ModelInfo,
    OnProgress,
    Pair,
    PhraseMeasure,
    PropertyMeasure,
    Row,
    Side,
    ignore_progress,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["LexicalMethod", "PhraseSearch"]

FOREIGN = 0.1
"""If a larger share of responses is in other languages, the report warns that the word lists are English."""


class LexicalMethod(MeasuresByValue):
    """The `MeasuringMethod` that compares countable properties of both responses.

    Args:
        screen_p: Properties whose two-sided sign test on train pairs gives a larger p are not tested on held-out pairs,
            so that the correction for multiple tests does not hide those that differ. The default is lenient: one
            property in ten passes by chance, and held-out pairs decide.
        phrases: The criteria by which a word or phrase becomes a hypothesis.
    """

    def __init__(self, *, screen_p: float = 0.1, phrases: PhraseSearch | None = None) -> None:
        self._screen_p = screen_p
        self._phrases = phrases or PhraseSearch()
        self._counter = PairCounter()

    @property
    def name(self) -> str:
        """`lexical`."""
        return "lexical"

    @property
    def models(self) -> tuple[ModelInfo, ...]:
        """Empty, since the method uses no models."""
        return ()

    def find_hypotheses(self, pairs: Sequence[Pair], on_progress: OnProgress = ignore_progress) -> Discovery:
        """Screens all properties and searches for phrases on the train pairs.

        Tables: `properties`, one row per property, with means, shares and p on train; `phrases`, one row per phrase
            that became a hypothesis.
        """
        on_progress(MEASURE, 0, len(pairs))
        measurable = [pair for pair in pairs if is_measurable(pair)]
        counted = self._counter.count(measurable)
        screened = [PropertyResult(each, comparisons_of(each, counted)) for each in PROPERTIES]
        chosen = [one for one in screened if one.p <= self._screen_p]
        found, left_out = find_phrases([each.words for each in counted], self._phrases)
        hypotheses = [of_property(one, measurable) for one in chosen]
        for each in found:
            effect = abs(each.responses_a - each.responses_b) / len(measurable)
            hypotheses.append(of_phrase(each.text, each.side, effect, measurable, counted))
        on_progress(MEASURE, len(pairs), len(pairs))
        alike = sum(one.p == 1.0 and one.more == (0, 0) for one in screened)
        counts = {
            "pairs without an answer of one side": len(pairs) - len(measurable),
            "properties that are the same in all pairs": alike,
            f"properties without a difference on train (p > {self._screen_p:g})": len(screened) - len(chosen) - alike,
            **left_out,
        }
        return Discovery(
            hypotheses=tuple(hypotheses),
            tables={
                "properties": tuple(one.row(one in chosen) for one in screened),
                "phrases": tuple(_phrase_row(phrase) for phrase in found),
            },
            left_out={reason: count for reason, count in counts.items() if count},
            notes=_notes(counted),
            candidates=tuple(candidates_of(PROPERTIES, hypotheses)),
        )

    def find_in_amplified(
        self, amplified: Sequence[Pair], pairs: Sequence[Pair], on_progress: OnProgress = ignore_progress
    ) -> Discovery:
        """Searches the amplified pairs, and keeps what the train pairs show in the same direction at all.

        What amplification alone brings about, such as a loop, is thus left out.
        """
        suggested = self.find_hypotheses(amplified, on_progress).hypotheses
        measurable = [pair for pair in pairs if is_measurable(pair)]
        counted = self._counter.count(measurable)
        seen = [on_train(each, measurable, counted) for each in suggested]
        kept = tuple(each for each in seen if each is not None)
        absent = len(suggested) - len(kept)
        why = "what the models' own train responses do not show in this direction"
        return Discovery(kept, left_out={why: absent} if absent else {})

    def measure_values(self, hypotheses: Sequence[Hypothesis], pairs: Sequence[Pair]) -> Measurements:
        """Returns the verdicts, ordered by hypothesis, then pair, and the values in whole responses.

        If one side has no response (`finish` is `error`), the verdict is UNREADABLE, as nothing can be measured.

        Raises:
            ValueError: A hypothesis comes from another method.
        """
        import numpy as np

        measurable = [is_measurable(pair) for pair in pairs]
        counted = self._counter.count([pair for pair, answered in zip(pairs, measurable, strict=True) if answered])
        judgements: list[Judgement] = []
        values: dict[Measure, NDArray[np.float64]] = {}
        for hypothesis in hypotheses:
            measure, kinds, whole = _measured(hypothesis, counted)
            judgements += judgements_of(hypothesis.id, pairs, measurable, kinds)
            values[measure] = np.full((2, len(pairs)), np.nan)
            values[measure][:, np.array(measurable, dtype=bool)] = whole
        return Measurements(judgements, values)

    def sentences_shown(self, measures: Sequence[Measure], pair: Pair, side: Side) -> list[frozenset[int] | None]:
        """Returns per measure the numbers of the sentences of one response that show it; see `ShowingMethod`."""
        if not is_measurable(pair):
            return [None] * len(measures)
        sentences = ShownSentences(read_response(pair, side))
        return [_sentences(measure, sentences) for measure in measures]


def property_hypotheses() -> tuple[Hypothesis, ...]:
    """The hypotheses that model B has more of a property, one for each property that is compared."""
    compared = [each for each in PROPERTIES if each.scale != "untested"]
    return tuple(each for each in candidates_of(compared, ()) if each.direction == "b")


def _notes(counted: Sequence[CountedPair]) -> tuple[str, ...]:
    """Warns the reader if many responses are in languages that the English word lists do not cover."""
    languages = [language for each in counted for language in each.languages if language is not None]
    foreign = sum(language != "English" for language in languages)
    if not languages or foreign / len(languages) <= FOREIGN:
        return ()
    return (
        f"{foreign} of {len(languages)} train responses are not in English: hedges, refusals and other properties of "
        "wording are only measured in English. Length, form, language and phrases are measured in any language.",
    )


def _sentences(measure: Measure, sentences: ShownSentences) -> frozenset[int] | None:
    match measure:
        case PropertyMeasure(name) if name in BY_NAME:
            return sentences.of_property(BY_NAME[name])
        case PhraseMeasure(phrase):
            return sentences.of_phrase(phrase)
        case _:
            return None


def _measured(
    hypothesis: Hypothesis, counted: Sequence[CountedPair]
) -> tuple[Measure, Iterator[VerdictKind], "NDArray[np.float64]"]:
    """Returns a hypothesis's measure, the verdicts on the pairs, and the values in whole responses, by side."""
    import numpy as np

    match hypothesis.measure:
        case PropertyMeasure(name) as measure if name in BY_NAME:
            comparisons = comparisons_of(BY_NAME[name], counted)
            return measure, iter(comparisons), comparisons.whole.T
        case PhraseMeasure(phrase) as measure:
            compared = [compare_phrase(phrase, each.words) for each in counted]
            whole = np.array([each.whole for each in compared], dtype=float).reshape(-1, 2).T
            return measure, ((each.verdict, each.per_word, each.chance_a) for each in compared), whole
        case other:
            raise ValueError(f"expected a hypothesis of the lexical method, got measure {other!r}")


def _phrase_row(phrase: Phrase) -> Row:
    """Returns the phrase's row in the table of phrases."""
    return {
        "phrase": phrase.text,
        "side": phrase.side,
        "responses_a": phrase.responses_a,
        "responses_b": phrase.responses_b,
        "z": phrase.z,
    }
