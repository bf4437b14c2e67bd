"""Formats how much one model shows of what a finding is about: a share, a count of responses, or a median.

All functions return plain text.
"""

from collections.abc import Mapping

from diffing.outputs.phrasing import one_line, percent, shares
from diffing.types import Finding, Level, Place, PropertyMeasure, Side

FEW = 30
"""Shares of fewer responses than this are given as counts."""
_UNITS: Mapping[str, str] = {
    "sentence_length": "words per sentence",
    "word_length": "characters per word",
    "word_variety": "different words per word",
}
"""The units of measured properties whose names are not their units."""
_UNIT_LENGTH = 40


def level_of(finding: Finding, place: Place, side: Side) -> Level | None:
    """Returns one model's level on held-out prompts; None if it is not known or rests on no response.

    Args:
        finding: The finding.
        place: All held-out prompts, or those inside or outside the finding's scope.
        side: The model.
    """
    return next(
        (each for each in finding.levels
         if (each.split, each.place, each.side) == ("heldout", place, side) and each.value.value is not None),
        None,
    )  # fmt: skip


def level_with_interval(finding: Finding, level: Level, *, counts: bool = False) -> str:
    """Formats a level with its 95% interval, such as "8% (5 to 13%)", "17 of 17 (82 to 100%)" or "24 words (22 to 27)".

    Args:
        finding: The finding, whose measure decides the unit.
        level: One of its levels.
        counts: Gives shares as counts however many responses there are; otherwise only those of fewer than 30.
    """
    value = level.value
    if level.kind == "median":
        span = "" if value.low is None or value.high is None else f" ({number(value.low)} to {number(value.high)})"
        return f"{number(value.value)} {unit_of(finding)}{span}"
    return f"{level_value(level, counts=counts)} ({shares(value)})"


def level_value(level: Level, *, counts: bool = False) -> str:
    """Formats a level without its interval and unit, such as "8%", "17 of 17" or "24".

    Args:
        level: The level.
        counts: Gives shares as counts however many responses there are; otherwise only those of fewer than 30.
    """
    if level.kind != "median" and not counts and level.value.n >= FEW:
        return percent(level.value.value)
    return bare_level(level, of=True)


def bare_level(level: Level, *, of: bool) -> str:
    """Formats a level as a count or a median, such as "17 of 17", "17" or "24".

    Args:
        level: The level.
        of: Whether the number of responses follows a count.
    """
    value = level.value
    if level.kind == "median":
        return number(value.value)
    return f"{count_of(level):,}{f' of {value.n:,}' if of else ''}"


def count_of(level: Level) -> int:
    """The number of responses that a share stands for."""
    return round((level.value.value or 0.0) * level.value.n)


def unit_of(finding: Finding) -> str:
    """Returns the unit of a finding's median, such as "words"."""
    measure = finding.hypothesis.measure
    if not isinstance(measure, PropertyMeasure):
        return "occurrences"
    return one_line(_UNITS.get(measure.name, measure.name.replace("_", " ")), _UNIT_LENGTH)


def number(value: float | None) -> str:
    """Formats a median with as many digits as say something; an undefined one becomes a dash."""
    if value is None:
        return "–"
    if float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:,.1f}"
