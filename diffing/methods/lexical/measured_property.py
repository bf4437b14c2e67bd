"""`Property`: a quantity that is measured in a response without a model, and compared between the two sides of a pair.

It also has helpers for the usual kinds of measurement: whether a pattern occurs, and how often it occurs.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from diffing.methods.lexical.parsed_response import PairReading, ParsedResponse, Part
from diffing.types import Category, Verdict

Scale: TypeAlias = Literal["whole", "matched"]
Value: TypeAlias = Callable[[ParsedResponse], float | None]
Count: TypeAlias = Callable[[ParsedResponse], float]


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
    `matched`: compared in whole responses and also within the same number of words of both. It suits what every
    sentence can contain (hedges, question marks), of which the longer response would usually have more."""
    show: re.Pattern[str] | None = None
    """Finds a passage to quote as evidence, if a passage can show the property."""
    part: Part = "prose"
    """The part of the response in which the passage is sought."""

    def compare(self, reading: PairReading) -> "PropertyComparison":
        """Measures the property on both sides of a pair, in whole responses and at equal length if necessary."""
        whole = self._values(reading.whole)
        return PropertyComparison(whole, whole if self.scale == "whole" else self._values(reading.matched))

    def _values(self, sides: tuple[ParsedResponse, ParsedResponse]) -> tuple[float | None, float | None]:
        return self.value(sides[0]), self.value(sides[1])


@dataclass(frozen=True, slots=True)
class PropertyComparison:
    """One property, measured on side a and side b of a pair."""

    whole: tuple[float | None, float | None]
    """The values in the whole responses."""
    matched: tuple[float | None, float | None]
    """The values within the same number of words of both, if the property's scale is `matched`; else as `whole`."""

    @property
    def verdict(self) -> Verdict:
        """The side that has more of the property, both in the whole response and at equal length.

        It is NEITHER if the two comparisons disagree, so that the verdict holds for the whole responses and does not
        come from their length alone.
        """
        verdict = verdict_of(*self.whole)
        return verdict if verdict == verdict_of(*self.matched) else Verdict.NEITHER


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
