"""Computes what a row of the list shows: both models' own rates as bars, the difference on an axis, and why not."""

import math
from dataclasses import dataclass

from diffing.estimates import Estimate
from diffing.metrics import FALSE_DISCOVERY_RATE
from diffing.outputs.behaviour_words import metrics_shown
from diffing.outputs.claims import levels_shown
from diffing.outputs.level_words import bare_level, level_value, unit_of
from diffing.outputs.phrasing import count, percent, pieces_of, points
from diffing.report.model_names import Names
from diffing.types import SIDES, Finding, Level, Side

_FEWEST_DECIDED = math.ceil(math.log2(1 / FALSE_DISCOVERY_RATE))
"""With fewer decided pairs than this, no sign test can confirm anything."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One model's own rate."""

    side: Side
    """The model."""
    width: float
    """Length of the bar in percent of its track."""
    value: str
    """The rate in words, such as "61%", "17 of 17" or "24 words"."""
    spoken: str
    """The same for people who do not see the bar, with the model's name."""


@dataclass(frozen=True, slots=True)
class Axis:
    """A net difference with its interval on the axis that all rows share, from -100 (only A) to 100 (only B)."""

    side: Side
    """The model that the finding speaks of."""
    low: float
    """Left end of the interval, in percent of the axis."""
    width: float
    """Length of the interval, in percent of the axis."""
    at: float
    """Place of the mark, in percent of the axis."""
    value: str
    """The net difference in points."""
    span: str
    """Its interval, such as "47 to 69"."""


def row_pieces(finding: Finding) -> tuple[tuple[str, Side | None], ...]:
    """Splits a finding's text at its model placeholders, without the comparison at its end that the bars show."""
    text = finding.hypothesis.text.strip().removesuffix(".").removesuffix(" than <OTHER MODEL>")
    return tuple(pieces_of(text, finding.hypothesis.direction))


def bars(finding: Finding, names: Names) -> tuple[Bar, Bar]:
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


def axis(finding: Finding) -> Axis | None:
    """Returns the net difference, in the finding's scope if it has one; None if it is undefined.

    Args:
        finding: A finding.
    """
    net = metrics_shown(finding).net_difference
    if net.value is None or net.low is None or net.high is None:
        return None
    side = finding.hypothesis.direction
    value, low, high = net.value, net.low, net.high
    if side == "a":
        value, low, high = -value, -high, -low
    return Axis(
        side, round(50 + 50 * low, 2), round(50 * (high - low), 2), round(50 + 50 * value, 2), _points(net.value),
        _span(net),
    )  # fmt: skip


def reason(finding: Finding) -> str:
    """Says why a finding is not confirmed, with the numbers of pairs."""
    heldout = finding.heldout
    if heldout.p is None:
        return "Not tested: too weak on the first prompts to be worth testing."
    if not heldout.n:
        return "Not tested: no verdict on held-out prompts is readable."
    decided = heldout.k_for + heldout.k_against
    if decided < _FEWEST_DECIDED:
        return f"Too rare to tell: it shows in {decided} of {count(heldout.n, 'pair')}."
    counts = f"{count(heldout.k_for, 'pair')} for it, {heldout.k_against:,} against"
    if heldout.k_against > heldout.k_for:
        return f"Went the other way: {counts}."
    return f"Could be chance: {counts}, {heldout.k_neither:,} neither."


def net_of(finding: Finding) -> float:
    """Returns the net difference by which rows are sorted; -1 if it is undefined."""
    value = metrics_shown(finding).net_difference.value
    return -1.0 if value is None else value


def _of(levels: tuple[Level, Level], side: Side) -> Level:
    return next(each for each in levels if each.side == side)


def _level_bar(finding: Finding, level: Level, largest: float, names: Names) -> Bar:
    share = (level.value.value or 0.0) / (largest if level.kind == "median" else 1.0)
    if level.kind == "median":
        value = f"{bare_level(level, of=False)} {unit_of(finding)}"
    else:
        value = level_value(level)
    return Bar(level.side, _width(share), value, f"{names.of(level.side)}: {value}")


def _pairs_bar(finding: Finding, side: Side, names: Names) -> Bar:
    """The share of pairs in which one model's answer shows it more, if its own rate is not known."""
    shown = metrics_shown(finding)
    if not shown.n:
        return Bar(side, 0, "–", f"{names.of(side)}: not known")
    pairs = shown.k_for if side == finding.hypothesis.direction else shown.k_against
    value = f"more in {percent(pairs / shown.n)}"
    return Bar(side, _width(pairs / shown.n), value, f"{names.of(side)} {value} of pairs")


def _width(share: float) -> float:
    return round(100 * min(max(share, 0.0), 1.0), 1)


def _points(value: float | None) -> str:
    """Formats points without a plus sign, because the mark shows the model."""
    return points(value).removeprefix("+")


def _span(net: Estimate) -> str:
    return f"{_points(net.low)} to {_points(net.high)}"
