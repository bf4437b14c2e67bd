"""Computes the bars that show both models' rates of what a finding is about, and splits its text for display."""

from dataclasses import dataclass

from diffing.outputs.behaviour_words import metrics_shown
from diffing.outputs.claims import levels_shown, text_beside_rates
from diffing.outputs.level_words import level_value, unit_of
from diffing.outputs.phrasing import percent, pieces_of
from diffing.report.model_names import ModelNames
from diffing.types import SIDES, Finding, Level, Side

_VALUE_LENGTH = 12
"""Maximum number of characters of a value with its unit beside a bar; a longer one loses its unit."""


@dataclass(frozen=True, slots=True)
class RateBar:
    """One model's own rate."""

    side: Side
    """The model."""
    width: float
    """Length of the bar in percent of its track."""
    value: str
    """The rate in words, such as "61%", "17 of 17" or "24 words"."""
    spoken: str
    """The same for people who do not see the bar, with the model's name."""


def row_pieces(finding: Finding) -> tuple[tuple[str, Side | None], ...]:
    """Splits a finding's text at its model placeholders, without the comparison at its end that the bars show."""
    return tuple(pieces_of(text_beside_rates(finding), finding.hypothesis.direction))


def bars(finding: Finding, names: ModelNames) -> tuple[RateBar, RateBar]:
    """Returns both models' rates, A first; without levels, the shares of pairs in which each model shows it more.

    Args:
        finding: A finding.
        names: The models' names.
    """
    levels = levels_shown(finding)
    if levels is None:
        a, b = (_pairs_bar(finding, side, names) for side in SIDES)
        return a, b
    largest = max((each.value.value or 0.0) for each in levels) or 1.0
    a, b = (_level_bar(finding, _of(levels, side), largest, names) for side in SIDES)
    return a, b


def _of(levels: tuple[Level, Level], side: Side) -> Level:
    return next(each for each in levels if each.side == side)


def _level_bar(finding: Finding, level: Level, largest: float, names: ModelNames) -> RateBar:
    share = (level.value.value or 0.0) / (largest if level.kind == "median" else 1.0)
    value = level_value(level)
    spoken = f"{value} {unit_of(finding)}" if level.kind == "median" else value
    shown = spoken if len(spoken) <= _VALUE_LENGTH else value
    return RateBar(level.side, _width(share), shown, f"{names.of(level.side)}: {spoken}")


def _pairs_bar(finding: Finding, side: Side, names: ModelNames) -> RateBar:
    """The share of pairs in which one model's answer shows it more, if its own rate is not known."""
    shown = metrics_shown(finding)
    if not shown.n:
        return RateBar(side, 0, "–", f"{names.of(side)}: not known")
    pairs = shown.k_for if side == finding.hypothesis.direction else shown.k_against
    value = f"more in {percent(pairs / shown.n)}"
    return RateBar(side, _width(pairs / shown.n), value, f"{names.of(side)} {value} of pairs")


def _width(share: float) -> float:
    return round(100 * min(max(share, 0.0), 1.0), 1)
