"""The lexical method: measured properties, words and phrases that differ. Free, instant, deterministic; asks no model.

Knows no meaning: it finds what can be counted, and its word lists are English, but for the languages and the phrases.
"""

import hashlib
from collections.abc import Callable, Sequence

from diffing.methods.lexical.measured_property import verdict_of
from diffing.methods.lexical.parsed_response import PairReading, is_measurable, read_pair
from diffing.methods.lexical.phrases import Phrase, PhraseSearch, find_phrases, holds_phrase
from diffing.methods.lexical.properties import BY_NAME, PROPERTIES
from diffing.methods.lexical.quotes import quote_of_phrase, quote_of_property
from diffing.methods.lexical.screening import Screened, screen
from diffing.methods.lexical.stages import MEASURE
from diffing.types import (
    SIDES,
    Discovery,
    Evidence,
    Hypothesis,
    Judgement,
    ModelInfo,
    OnProgress,
    Pair,
    PhraseMeasure,
    PropertyMeasure,
    Row,
    Side,
    Verdict,
    ignore_progress,
    other_side,
)

__all__ = ["LexicalMethod", "PhraseSearch"]

EVIDENCE = 3
"""Pairs shown per hypothesis."""
FOREIGN = 0.1
"""Share of responses in other languages above which the reader is warned that word lists are English."""
JUDGE = "measured"
"""`Judgement.judge` of all verdicts of this method."""


class LexicalMethod:
    """Measures what can be counted in both responses. A `MeasuringMethod`.

    Args:
        screen_p: Properties whose two-sided sign test on train gives a greater p are not tested on held-out, lest the
            correction for many tests hides those that differ. Lenient: chance passes one property in ten, and held-out
            has the last word.
        phrases: When a word or phrase becomes a hypothesis.
    """

    def __init__(self, *, screen_p: float = 0.1, phrases: PhraseSearch | None = None) -> None:
        self._screen_p = screen_p
        self._phrases = phrases or PhraseSearch()

    @property
    def name(self) -> str:
        """`lexical`."""
        return "lexical"

    @property
    def models(self) -> tuple[ModelInfo, ...]:
        """None is asked."""
        return ()

    def find_hypotheses(self, pairs: Sequence[Pair], on_progress: OnProgress = ignore_progress) -> Discovery:
        """Screens all properties and searches for phrases on the train pairs.

        Tables: `properties`, one row per property of the battery, with means, shares and p on train; `phrases`, one row
            per phrase that became a hypothesis.
        """
        on_progress(MEASURE, 0, len(pairs))
        measurable = [pair for pair in pairs if is_measurable(pair)]
        readings = [read_pair(pair) for pair in measurable]
        screened = screen(PROPERTIES, readings)
        chosen = [one for one in screened if one.p <= self._screen_p]
        found, left_out = find_phrases(readings, self._phrases)
        hypotheses = [_of_property(one, measurable, readings) for one in chosen]
        hypotheses += [_of_phrase(phrase, measurable, readings) for phrase in found]
        on_progress(MEASURE, len(pairs), len(pairs))
        alike = sum(one.p == 1.0 and one.more_in_a == one.more_in_b == 0 for one in screened)
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
            notes=_notes(readings),
        )

    def measure(self, hypotheses: Sequence[Hypothesis], pairs: Sequence[Pair]) -> list[Judgement]:
        """One verdict for every hypothesis of this method and every pair, hypotheses outermost.

        A pair in which one side has no answer (`finish` is `error`) is UNREADABLE: nothing was measured.

        Raises:
            ValueError: A hypothesis is not this method's.
        """
        readings = [read_pair(pair) if is_measurable(pair) else None for pair in pairs]
        judgements: list[Judgement] = []
        for hypothesis in hypotheses:
            verdict = _verdicts(hypothesis)
            for pair, reading in zip(pairs, readings, strict=True):
                judgements.append(
                    Judgement(
                        hypothesis_id=hypothesis.id,
                        prompt_id=pair.prompt.id,
                        verdict=Verdict.UNREADABLE if reading is None else verdict(reading),
                        judge=JUDGE,
                    )
                )
        return judgements


def _notes(readings: Sequence[PairReading]) -> tuple[str, ...]:
    """A warning where the English word lists miss much of what is said."""
    told = [side.language for reading in readings for side in reading.whole if side.language is not None]
    foreign = sum(language != "English" for language in told)
    if not told or foreign / len(told) <= FOREIGN:
        return ()
    return (
        f"{foreign} of {len(told)} train responses are not in English: hedges, refusals and other properties of "
        "wording are only measured in English. Length, form, language and phrases are measured in any language.",
    )


def _verdicts(hypothesis: Hypothesis) -> Callable[[PairReading], Verdict]:
    """How a hypothesis is measured on a pair."""
    match hypothesis.measure:
        case PropertyMeasure(name) if name in BY_NAME:
            measured = BY_NAME[name]
            return lambda reading: measured.compare(reading).verdict
        case PhraseMeasure(phrase):
            return lambda reading: verdict_of(*(holds_phrase(exchange, phrase) for exchange in reading.whole))
        case other:
            raise ValueError(f"expected a hypothesis of the lexical method, got measure {other!r}")


def _of_property(one: Screened, pairs: Sequence[Pair], readings: Sequence[PairReading]) -> Hypothesis:
    """The hypothesis that a property differs as it does on train."""
    measured, side = one.measured, SIDES.index(one.direction)

    def lead(i: int) -> float:
        values = one.comparisons[i].whole
        return (values[side] or 0.0) - (values[1 - side] or 0.0)

    clear = [i for i, verdict in enumerate(one.verdicts) if verdict.side == one.direction]
    # the pairs that differ most, the earlier first
    quotes = [
        Evidence(pairs[i].prompt.id, one.direction, quote)
        for i in sorted(clear, key=lead, reverse=True)[:EVIDENCE]
        if (quote := quote_of_property(measured, readings[i].whole[side]))
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


def _of_phrase(phrase: Phrase, pairs: Sequence[Pair], readings: Sequence[PairReading]) -> Hypothesis:
    """The hypothesis that a side uses a phrase in more of its responses."""
    kind = "phrase" if " " in phrase.text else "word"
    text = f"<MODEL> uses the {kind} «{phrase.text}» more often"
    other = other_side(phrase.side)
    quotes: list[Evidence] = []
    for pair, reading in zip(pairs, readings, strict=True):
        exchange = reading.whole[SIDES.index(phrase.side)]
        if holds_phrase(exchange, phrase.text) and not holds_phrase(reading.whole[SIDES.index(other)], phrase.text):
            quotes.append(Evidence(pair.prompt.id, phrase.side, quote_of_phrase(phrase.text, exchange)))
        if len(quotes) == EVIDENCE:
            break
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
    """The phrase's row in the table of phrases."""
    return {
        "phrase": phrase.text,
        "side": phrase.side,
        "responses_a": phrase.responses_a,
        "responses_b": phrase.responses_b,
        "z": phrase.z,
    }


def _id(text: str, direction: Side) -> str:
    """`lexical-` and a hash: the same in every rerun."""
    digest = hashlib.sha256(f"{direction} {text}".encode()).hexdigest()
    return f"lexical-{digest[:12]}"
