"""What a measured property is, which side of a pair has more of it, and the shapes most of them have.

Either something is there, or something is counted.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from diffing.methods.lexical.parsed_response import Exchange, PairReading
from diffing.types import Category, Verdict

Scale: TypeAlias = Literal["whole", "matched"]
Value: TypeAlias = Callable[[Exchange], float | None]
Count: TypeAlias = Callable[[Exchange], float]


@dataclass(frozen=True, slots=True)
class Property:
    """Something of a response that is measured without a model."""

    name: str
    """Short name, as in `PropertyMeasure` and in the table of properties."""
    sentence: str
    """What is said of the side that has more of it."""
    category: Category
    """One of the seven categories."""
    definition: str
    """What exactly is measured."""
    value: Value
    """The measurement: pure, 0 where the property is absent, None where it cannot be told."""
    scale: Scale = "whole"
    """`whole`: of the whole response: its length, its form, what it does once (refuses, greets).
    `matched`: of what every sentence gives another chance for (hedges, question marks), where the longer response
    would have more of everything: of the whole response, and also within as many words as the shorter one has."""
    show: re.Pattern[str] | None = None
    """Finds a passage that shows it, where one can."""

    def compare(self, reading: PairReading) -> "Comparison":
        """Measures both sides of a pair, in every way that a verdict needs."""
        whole = self._values(reading.whole)
        return Comparison(whole, whole if self.scale == "whole" else self._values(reading.matched))

    def _values(self, sides: tuple[Exchange, Exchange]) -> tuple[float | None, float | None]:
        return self.value(sides[0]), self.value(sides[1])


@dataclass(frozen=True, slots=True)
class Comparison:
    """One property of both sides of a pair, a first."""

    whole: tuple[float | None, float | None]
    """In the responses as they are."""
    matched: tuple[float | None, float | None]
    """Within as many words of both, where the property is `matched`; else the same."""

    @property
    def verdict(self) -> Verdict:
        """The side that has more in the whole response and also within as many words of both.

        NEITHER where the two disagree, so that the verdict is true of the responses as they stand and is not a matter
        of their length alone.
        """
        verdict = verdict_of(*self.whole)
        return verdict if verdict == verdict_of(*self.matched) else Verdict.NEITHER


def verdict_of(a: float | None, b: float | None) -> Verdict:
    """Who has more; NEITHER where one cannot be told.

    No tolerance: a chance difference is as likely for either side, which the sign test allows for.
    """
    if a is None or b is None or a == b:
        return Verdict.NEITHER
    return Verdict.A if a > b else Verdict.B


def pattern(expression: str) -> re.Pattern[str]:
    """A pattern in lower case that finds either case, with either apostrophe; `^` is a line's start."""
    return re.compile(expression.replace("'", "['’]"), re.IGNORECASE | re.MULTILINE)


def holds(sought: re.Pattern[str]) -> Count:
    """1 where the pattern is found in the response, else 0."""
    text, quick = _quick(sought)
    return lambda exchange: float(quick.search(text(exchange)) is not None)


def opens_with(sought: re.Pattern[str]) -> Count:
    """1 where the pattern is found in the first 100 characters, else 0."""
    text, quick = _quick(sought)
    return lambda exchange: float(quick.search(text(exchange).lstrip()[:100]) is not None)


def closes_with(sought: re.Pattern[str]) -> Count:
    """1 where the pattern is found in the last 250 characters, else 0."""
    text, quick = _quick(sought)
    return lambda exchange: float(quick.search(text(exchange).rstrip()[-250:]) is not None)


def counts(sought: re.Pattern[str]) -> Count:
    """How often the pattern is found."""
    text, quick = _quick(sought)
    return lambda exchange: float(len(quick.findall(text(exchange))))


def _quick(sought: re.Pattern[str]) -> tuple[Callable[[Exchange], str], re.Pattern[str]]:
    """The text to search and the pattern for it: folded text needs no case-blind search, which is slow."""
    if not sought.flags & re.IGNORECASE:
        return lambda exchange: exchange.text, sought
    return lambda exchange: exchange.folded, re.compile(sought.pattern, sought.flags & ~re.IGNORECASE)
