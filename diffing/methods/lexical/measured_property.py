"""`Property`: a quantity that is measured in a response without a model, and compared between the two sides of a pair.

It also has helpers for the usual kinds of measurement: whether a pattern occurs, and how often it occurs.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from diffing.methods.lexical.parsed_response import PairReading, ParsedResponse, Part
from diffing.metrics import measure
from diffing.metrics.unequal_chances import chance_of_more_per_word
from diffing.types import Category, Judgement, Side, Verdict

Scale: TypeAlias = Literal["whole", "counts", "matched", "matched sentences", "untested"]
Value: TypeAlias = Callable[[ParsedResponse], float | None]
Count: TypeAlias = Callable[[ParsedResponse], float]
JUDGE = "measured"
"""The value of `Judgement.judge` in all verdicts of the lexical method."""


@dataclass(frozen=True, slots=True)
class Property:
    """A property of a response that is measured without a model."""

    name: str
    """The short name, as in `PropertyMeasure` and in the table of properties."""
    sentence: str
    """The hypothesis about the side that has more of it."""
    category: Category
    """The category of the hypothesis, one of seven."""
    definition: str
    """What exactly is measured, in words."""
    value: Value
    """Measures a response; 0 if the property is absent, None if it cannot be determined."""
    scale: Scale = "whole"
    """`whole`: compared in whole responses. It suits length, form, and what a response does once (refuse, greet).
    `counts`: compared in whole responses and also per word, and the test allows for lengths. It suits what every
    sentence can contain (hedges, question marks), of which a longer response has more.
    `matched`, `matched sentences`: compared within the same number of words of both, half from the beginning and half
    from the end, or of sentences, spread evenly. They suit means, since a mean of many words varies less.
    `untested`: never compared. It suits what the settings of the run decide."""
    grows: bool = False
    """Whether a response has more of it the longer it gets, so that the value of a response that the token limit cut
    is only a lower bound."""
    show: re.Pattern[str] | None = None
    """Finds a passage to quote as evidence, if a passage can show the property."""
    part: Part = "prose"
    """The part of the response in which the passage is sought."""

    def compare(self, reading: PairReading) -> "PropertyComparison":
        """Measures the property on both sides of a pair, in whole responses and at equal length if necessary.

        The reading keeps the result, because it is needed to find hypotheses, to test them and within scopes.
        """
        if self.name not in reading.comparisons:
            reading.comparisons[self.name] = self._compared(reading)
        return reading.comparisons[self.name]

    def _compared(self, reading: PairReading) -> "PropertyComparison":
        whole = self._values(reading.whole)
        match self.scale:
            case "untested":
                return PropertyComparison(whole, (None, None))
            case "matched":
                return PropertyComparison(whole, self._values(reading.ends))
            case "matched sentences":
                return PropertyComparison(whole, self._values(reading.spread_sentences))
            case "counts":
                a, b = reading.whole
                return PropertyComparison(whole, whole, (a.words_in(self.part), b.words_in(self.part)))
        if self.grows and _larger_is_unknown(whole, reading):
            return PropertyComparison(whole, (None, None))
        return PropertyComparison(whole, whole)

    def _values(self, sides: tuple[ParsedResponse, ParsedResponse]) -> tuple[float | None, float | None]:
        return self.value(sides[0]), self.value(sides[1])


class Comparison(Protocol):
    """A property or phrase, compared between both sides of a pair."""

    @property
    def whole(self) -> tuple[float | None, float | None]:
        """What was found in the whole responses of side a and side b."""

    @property
    def verdict(self) -> Verdict:
        """The side that has more of it."""

    @property
    def per_word(self) -> Side | None:
        """See `Judgement.per_word`."""

    @property
    def chance_a(self) -> float | None:
        """See `Judgement.chance_a`."""


@dataclass(frozen=True, slots=True)
class PropertyComparison:
    """One property, measured on side a and side b of a pair."""

    whole: tuple[float | None, float | None]
    """The values in the whole responses."""
    compared: tuple[float | None, float | None]
    """The values that decide: within the same number of words or sentences if the property is matched, else `whole`;
    None if the token limit makes it unknown which value is larger."""
    words: tuple[int, int] | None = None
    """The numbers of words that could be such a sign, if the property is a count."""

    @property
    def verdict(self) -> Verdict:
        """The side that has more of the property; if it is a count, both in all and per word."""
        verdict = verdict_of(*self.compared)
        return verdict if self.words is None or verdict.side == self.per_word else Verdict.NEITHER

    @property
    def per_word(self) -> Side | None:
        """The side that has more per word, if the property is a count and one side has more in all."""
        (a, b), words = self.compared, self.words
        if words is None or a is None or b is None or a == b:
            return None
        return verdict_of(a * max(1, words[1]), b * max(1, words[0])).side  # exact, unlike quotients

    @property
    def chance_a(self) -> float | None:
        """See `Judgement.chance_a`."""
        if self.words is None or self.per_word is None:
            return None
        return chance_of_more_per_word(round(sum(value or 0.0 for value in self.compared)), self.words)


def train_p(comparisons: Iterable[Comparison], direction: Side) -> float:
    """Returns the two-sided p of the test that held-out pairs undergo as well (see `metrics.measure`); 1 without pairs.

    Args:
        comparisons: One per train pair.
        direction: The side that has more on more pairs.
    """
    p = measure((judgement_of(one, "", "") for one in comparisons), direction).p
    return 1.0 if p is None else min(1.0, 2 * p)


def judgement_of(comparison: Comparison | None, hypothesis_id: str, prompt_id: str) -> Judgement:
    """Returns the verdict on one pair; UNREADABLE without a comparison, since nothing could be measured."""
    if comparison is None:
        return Judgement(hypothesis_id, prompt_id, Verdict.UNREADABLE, JUDGE)
    return Judgement(
        *(hypothesis_id, prompt_id, comparison.verdict, JUDGE),
        per_word=comparison.per_word,
        chance_a=comparison.chance_a,
    )


def _larger_is_unknown(values: tuple[float | None, float | None], reading: PairReading) -> bool:
    """Tells whether the token limit cut the response with the smaller value, which might have become the larger."""
    a, b = ((value or 0.0, side.finish == "length") for value, side in zip(values, reading.whole, strict=True))
    return (a[1] and a[0] <= b[0]) or (b[1] and b[0] <= a[0])


def verdict_of(a: float | None, b: float | None) -> Verdict:
    """Returns the side with the larger value; NEITHER if the values are equal or one of them is None.

    There is no tolerance: a chance difference is equally likely for either side, and the sign test accounts for it.
    """
    if a is None or b is None or a == b:
        return Verdict.NEITHER
    return Verdict.A if a > b else Verdict.B


def pattern(expression: str) -> re.Pattern[str]:
    """Compiles a lower-case pattern that ignores case, accepts both apostrophes, and matches `^` at each line."""
    return re.compile(expression.replace("'", "['’]"), re.IGNORECASE | re.MULTILINE)


def holds(sought: re.Pattern[str], part: Part = "prose") -> Count:
    """Makes a measurement: 1 if the pattern occurs in a part of the response, otherwise 0."""
    text, quick = _quick(sought, part)
    return lambda exchange: float(quick.search(text(exchange)) is not None)


def opens_with(sought: re.Pattern[str], part: Part = "voice") -> Count:
    """Makes a measurement: 1 if the pattern occurs in the first 100 characters of a part, otherwise 0."""
    text, quick = _quick(sought, part)
    return lambda exchange: float(quick.search(text(exchange).lstrip()[:100]) is not None)


def closes_with(sought: re.Pattern[str], part: Part = "voice") -> Value:
    """Makes a measurement: 1 if the pattern occurs in the last 250 characters of a part, otherwise 0.

    It is None if the token limit cut the response, since nobody knows how it would have ended.
    """
    text, quick = _quick(sought, part)
    return lambda exchange: (
        None if exchange.finish == "length" else float(quick.search(text(exchange).rstrip()[-250:]) is not None)
    )


def counts(sought: re.Pattern[str], part: Part = "prose") -> Count:
    """Makes a measurement: the number of times that the pattern occurs in a part of the response."""
    text, quick = _quick(sought, part)
    return lambda exchange: float(len(quick.findall(text(exchange))))


def _quick(sought: re.Pattern[str], part: Part) -> tuple[Callable[[ParsedResponse], str], re.Pattern[str]]:
    """Returns the text to search and the pattern: searching folded text avoids a slow case-insensitive search."""
    if not sought.flags & re.IGNORECASE:
        return lambda exchange: str(getattr(exchange, part)), sought
    return lambda exchange: exchange.folded(part), re.compile(sought.pattern, sought.flags & ~re.IGNORECASE)
