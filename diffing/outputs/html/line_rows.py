"""Computes what the page shows beside an entry: its difference on a common axis, and why it is not confirmed."""

import math
from dataclasses import dataclass

from diffing.estimates import Estimate
from diffing.metrics import FALSE_DISCOVERY_RATE, sign_test
from diffing.outputs.behaviour_words import metrics_shown
from diffing.outputs.phrasing import count, points
from diffing.types import Finding, Side

_FEWEST_DECIDED = math.ceil(math.log2(1 / FALSE_DISCOVERY_RATE))
"""With fewer decided pairs than this, no sign test can confirm anything."""
_OTHER_WAY = 0.05
"""Up to this p of the sign test for the other side, a finding is said to have gone the other way."""


@dataclass(frozen=True, slots=True)
class DifferenceAxis:
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


def axis(finding: Finding) -> DifferenceAxis | None:
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
    return DifferenceAxis(
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
    if sign_test(heldout.k_against, heldout.k_for) <= _OTHER_WAY:
        return f"Went the other way: {counts}."
    if heldout.k_against >= heldout.k_for:
        return f"As often the other way: {counts}."
    return f"Could be chance: {counts}, {heldout.k_neither:,} neither."


def net_of(finding: Finding) -> float:
    """Returns the net difference by which rows are sorted; -1 if it is undefined."""
    value = metrics_shown(finding).net_difference.value
    return -1.0 if value is None else value


def _points(value: float | None) -> str:
    """Formats points without a plus sign, because the mark shows the model."""
    return points(value).lstrip("+")


def _span(net: Estimate) -> str:
    return f"{_points(net.low)} to {_points(net.high)}"
