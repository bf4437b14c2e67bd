"""What a measured property is, and the two shapes most of them have: something is there, or something is counted."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from diffing.methods.lexical.reading import Exchange, PairReading
from diffing.types import Category

Scale: TypeAlias = Literal["whole", "matched"]
Value: TypeAlias = Callable[[Exchange], float]


@dataclass(frozen=True, slots=True)
class Property:
    """Something of a response that is measured without a model."""

    name: str
    """Short name, as in `Hypothesis.measure` and in the table of properties."""
    sentence: str
    """What is said of the side that has more of it."""
    category: Category
    """One of the seven categories."""
    definition: str
    """What exactly is measured."""
    value: Value
    """The measurement: pure, 0 where the property is absent."""
    scale: Scale = "whole"
    """`whole`: of the whole response: its length, its form, what it does once (refuses, greets).
    `matched`: of what every sentence gives another chance for (hedges, question marks): within as many words as the
    shorter response of the pair has, since over whole responses the longer one would have more of everything."""
    speaks: str = ""
    """Regular expression for sentences of other methods that speak about this property, in lower case."""
    show: re.Pattern[str] | None = None
    """Finds a passage that shows it, where one can."""

    def values(self, reading: PairReading) -> tuple[float, float]:
        """Both sides of a pair, a first."""
        a, b = reading.whole if self.scale == "whole" else reading.matched
        return self.value(a), self.value(b)


def pattern(expression: str) -> re.Pattern[str]:
    """A pattern in lower case that finds either case, with either apostrophe; `^` is a line's start."""
    return re.compile(expression.replace("'", "['’]"), re.IGNORECASE | re.MULTILINE)


def holds(sought: re.Pattern[str]) -> Value:
    """1 where the pattern is found in the response, else 0."""
    text, quick = _quick(sought)
    return lambda exchange: float(quick.search(text(exchange)) is not None)


def opens_with(sought: re.Pattern[str]) -> Value:
    """1 where the pattern is found in the first 100 characters, else 0."""
    text, quick = _quick(sought)
    return lambda exchange: float(quick.search(text(exchange).lstrip()[:100]) is not None)


def closes_with(sought: re.Pattern[str]) -> Value:
    """1 where the pattern is found in the last 250 characters, else 0."""
    text, quick = _quick(sought)
    return lambda exchange: float(quick.search(text(exchange).rstrip()[-250:]) is not None)


def counts(sought: re.Pattern[str]) -> Value:
    """How often the pattern is found."""
    text, quick = _quick(sought)
    return lambda exchange: float(len(quick.findall(text(exchange))))


def _quick(sought: re.Pattern[str]) -> tuple[Callable[[Exchange], str], re.Pattern[str]]:
    """The text to search and the pattern for it: folded text needs no case-blind search, which is slow."""
    if not sought.flags & re.IGNORECASE:
        return lambda exchange: exchange.text, sought
    return lambda exchange: exchange.folded, re.compile(sought.pattern, sought.flags & ~re.IGNORECASE)
