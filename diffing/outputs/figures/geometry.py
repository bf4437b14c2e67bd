"""Converts net differences and intervals to positions on an axis, model A's on the left, and chooses its range."""

from collections.abc import Iterable
from typing import NamedTuple

from diffing.estimates import Estimate
from diffing.types import Finding, Side


class Span(NamedTuple):
    """An interval on an axis, as positions from 0 (its left end) to 100 (its right end)."""

    low: float
    """The left end of the interval."""
    value: float
    """The estimate."""
    high: float
    """The right end of the interval."""


def span_of(net: Estimate, direction: Side, reach: float) -> Span | None:
    """Returns the positions of a net difference and its interval; None if they are undefined.

    Args:
        net: The net difference, signed for `direction`.
        direction: The side whose behaviour the finding predicts; differences of side a extend to the left.
        reach: The net difference at either end of the axis, as a share above 0.
    """
    if net.value is None or net.low is None or net.high is None:
        return None
    sign = -1 if direction == "a" else 1
    low, high = sorted((sign * net.low, sign * net.high))
    return Span(*(round(50 + 50 * place / reach, 2) for place in (low, sign * net.value, high)))


def reach_of(findings: Iterable[Finding]) -> float:
    """Returns the largest absolute end of all intervals of net differences, as a share that is never 0."""
    return _reach(finding.heldout.net_difference for finding in findings)


def rounded_reach(findings: Iterable[Finding]) -> int:
    """Returns the reach in percentage points, rounded up to the next multiple of ten, at most 100.

    It covers the intervals over all prompts and those over the prompts in a finding's scope.
    """
    measured = (m for finding in findings for m in (finding.heldout, finding.heldout_in_scope) if m is not None)
    return min(int(100 * _reach(m.net_difference for m in measured) // 10 + 1) * 10, 100)


def _reach(nets: Iterable[Estimate]) -> float:
    return max((abs(end) for net in nets for end in (net.low, net.high) if end is not None), default=1.0) or 1.0


def ticks_of(reach: int) -> list[int]:
    """Returns the labelled ticks of an axis from `-reach` to `reach` percentage points."""
    return [tick for tick in range(-100, 101, 25 if reach > 50 else 10) if abs(tick) <= reach]
