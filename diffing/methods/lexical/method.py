"""The lexical method: finds measured properties, words and phrases that differ; it is deterministic and uses no model.

It finds only what can be counted. Its word lists are English; the detection of languages and phrases is not limited to
English.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from diffing.methods.base import Measurements
from diffing.methods.lexical.counted_pairs import CountedPair, PairCounter, comparisons_of
from diffing.methods.lexical.evidence_quotes import quote_of_phrase, quote_of_property
from diffing.methods.lexical.measured_property import MeasuredProperty
from diffing.methods.lexical.parsed_response import is_measurable, read_response
from diffing.methods.lexical.phrases import Phrase, PhraseSearch, compare_phrase, find_phrases, kind_of
from diffing.methods.lexical.properties import BY_NAME, PROPERTIES
from diffing.methods.lexical.property_comparison import judgements_of
from diffing.methods.lexical.property_results import PropertyResult
from diffing.methods.lexical.shown_sentences import ShownSentences
from diffing.methods.lexical.stages import MEASURE
from diffing.methods.lexical.word_tokens import as_written
from diffing.metrics import VerdictKind
from diffing.types import (
    SIDES,
    Discovery,
    Evidence,
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

EVIDENCE = 3
"""The number of pairs quoted per hypothesis."""
FOREIGN = 0.1
"""If a larger share of responses is in other languages, the report warns that the word lists are English."""


class LexicalMethod:
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
        hypotheses = [_of_property(one, measurable) for one in chosen]
        hypotheses += [_of_phrase(phrase, measurable, counted) for phrase in found]
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
            candidates=tuple(_candidates(PROPERTIES, hypotheses)),
        )

    def measure(self, hypotheses: Sequence[Hypothesis], pairs: Sequence[Pair]) -> list[Judgement]:
        """Returns one verdict for each hypothesis of this method and each pair, ordered by hypothesis, then pair.

        If one side has no response (`finish` is `error`), the verdict is UNREADABLE, as nothing can be measured.

        Raises:
            ValueError: A hypothesis comes from another method.
        """
        return self.measure_values(hypotheses, pairs).judgements

    def measure_values(self, hypotheses: Sequence[Hypothesis], pairs: Sequence[Pair]) -> Measurements:
        """Measures as `measure` does, and returns the values in whole responses with the verdicts.

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
    return tuple(each for each in _candidates(compared, ()) if each.direction == "b")


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


def _candidates(properties: Iterable[MeasuredProperty], chosen: Sequence[Hypothesis]) -> Iterator[Hypothesis]:
    """The hypotheses that a property differs in one direction, for all directions that are not chosen."""
    known = {hypothesis.id for hypothesis in chosen}
    for measured in properties:
        for side in SIDES:
            if (hypothesis_id := _id(measured.sentence, side)) not in known:
                yield Hypothesis(
                    id=hypothesis_id,
                    text=measured.sentence,
                    direction=side,
                    method="lexical",
                    category=measured.category,
                    measure=PropertyMeasure(measured.name),
                )


def _of_property(one: PropertyResult, pairs: Sequence[Pair]) -> Hypothesis:
    """Makes the hypothesis that a property differs in the same direction as on train."""
    import numpy as np

    measured, side = one.measured, SIDES.index(one.direction)
    values = np.nan_to_num(one.comparisons.whole)
    lead = values[:, side] - values[:, 1 - side]
    clear = np.flatnonzero(one.comparisons.verdicts == side + 1)
    # the pairs that differ most, the earlier first
    most = clear[np.argsort(-lead[clear], kind="stable")[:EVIDENCE]]
    quotes = [
        Evidence(pairs[i].prompt.id, one.direction, quote)
        for i in most.tolist()
        if (quote := quote_of_property(measured, read_response(pairs[i], one.direction)))
    ]
    return Hypothesis(
        id=_id(measured.sentence, one.direction),
        text=measured.sentence,
        direction=one.direction,
        method="lexical",
        category=measured.category,
        evidence=tuple(quotes),
        measure=PropertyMeasure(measured.name),
        train_effect=one.effect,
    )


def _of_phrase(phrase: Phrase, pairs: Sequence[Pair], counted: Sequence[CountedPair]) -> Hypothesis:
    """Makes the hypothesis that a side uses a phrase in more of its responses."""
    text = f"<MODEL> uses the {kind_of(phrase.text)} «{as_written(phrase.text)}» more often"
    holding = (
        pair
        for pair, each in zip(pairs, counted, strict=True)
        if compare_phrase(phrase.text, each.words).verdict.side == phrase.side
    )
    quotes = [
        Evidence(pair.prompt.id, phrase.side, quote_of_phrase(phrase.text, read_response(pair, phrase.side)))
        for pair in islice(holding, EVIDENCE)
    ]
    return Hypothesis(
        id=_id(text, phrase.side),
        text=text,
        direction=phrase.side,
        method="lexical",
        category="style",
        evidence=tuple(quotes),
        measure=PhraseMeasure(phrase.text),
        train_effect=abs(phrase.responses_a - phrase.responses_b) / len(pairs),
    )


def _phrase_row(phrase: Phrase) -> Row:
    """Returns the phrase's row in the table of phrases."""
    return {
        "phrase": phrase.text,
        "side": phrase.side,
        "responses_a": phrase.responses_a,
        "responses_b": phrase.responses_b,
        "z": phrase.z,
    }


def _id(text: str, direction: Side) -> str:
    """Makes a hypothesis id from `lexical-` and a hash, the same in every rerun."""
    digest = hashlib.sha256(f"{direction} {text}".encode()).hexdigest()
    return f"lexical-{digest[:12]}"
