"""Converts metrics and estimates to the cells of tables and back, and checks that they can be."""

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from diffing.estimates import Estimate, Metrics
from diffing.types import Scalar

_ESTIMATES = ("frequency", "accuracy", "net_difference")
_COUNTS = ("n", "k_for", "k_against", "unreadable")
_SLACK = 1e-9
"""By how much an estimate may miss its own interval: rounding errors."""


def metrics_cells(prefix: str, m: Metrics) -> dict[str, Scalar]:
    """Converts metrics to cells, without q.

    Args:
        prefix: The beginning of the columns' names, such as `heldout`.
        m: The metrics.
    """
    cells: dict[str, Scalar] = {
        f"{prefix}_n": m.n,
        f"{prefix}_k_for": m.k_for,
        f"{prefix}_k_against": m.k_against,
        f"{prefix}_unreadable": m.unreadable,
    }
    for name, e in zip(_ESTIMATES, (m.frequency, m.accuracy, m.net_difference), strict=True):
        cells |= {f"{prefix}_{name}": e.value, f"{prefix}_{name}_low": e.low, f"{prefix}_{name}_high": e.high}
    return {**cells, f"{prefix}_p": m.p}


def metrics_from(row: Mapping[str, Any], prefix: str, q: float | None = None) -> Metrics:
    """Converts cells back to metrics.

    Args:
        row: The row.
        prefix: The beginning of the columns' names.
        q: The metrics' q, if they have one.
    """
    n, k_for, k_against, unreadable = (row[f"{prefix}_{name}"] for name in _COUNTS)
    # the number of observations behind each share is not stored, because it follows from the counts
    frequency, accuracy, net = (
        Estimate(row[f"{prefix}_{name}"], row[f"{prefix}_{name}_low"], row[f"{prefix}_{name}_high"], of)
        for name, of in zip(_ESTIMATES, (n, k_for + k_against, n), strict=True)
    )
    return Metrics(n, k_for, k_against, unreadable, frequency, accuracy, net, row[f"{prefix}_p"], q)


def counted(row: Mapping[str, Any], prefix: str) -> int | None:
    """Returns the number of verdicts that the counts of some metrics stand for; None if they are all null.

    Args:
        row: The row.
        prefix: The beginning of the columns' names.

    Raises:
        ValueError: Some counts are null or negative, or more verdicts are for a side than there are.
    """
    counts = [row[f"{prefix}_{name}"] for name in _COUNTS]
    if counts == [None] * len(counts):
        return None
    n, k_for, k_against, unreadable = (-1 if count is None else count for count in counts)
    if min(k_for, k_against, unreadable, n - k_for - k_against) < 0:
        raise ValueError("the counts contradict each other")
    return int(n + unreadable)


def check_estimate(
    where: str, estimate: Estimate, most: int, within: tuple[float, float] = (-math.inf, math.inf)
) -> None:
    """Checks that an estimate that was read can be one.

    Args:
        where: What is estimated, for the message.
        estimate: The estimate.
        most: The largest number of observations that is possible.
        within: The lowest and the highest possible value.

    Raises:
        ValueError: A number is not finite or outside these bounds, the interval does not hold the estimate, or there
            are more observations than possible.
    """
    numbers = [each for each in (estimate.low, estimate.value, estimate.high) if each is not None]
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"{where}: expected finite numbers")
    if any(not within[0] - _SLACK <= each <= within[1] + _SLACK for each in numbers):
        raise ValueError(f"{where}: expected numbers from {within[0]:g} to {within[1]:g}")
    if any(later < earlier - _SLACK for earlier, later in pairwise(numbers)):
        raise ValueError(f"{where}: the interval does not hold the estimate")
    if not 0 <= estimate.n <= most:
        raise ValueError(f"{where}: expected at most {most} observations, got {estimate.n}")


def check_p(where: str, p: float | None) -> None:
    """Checks that a p or q value that was read is one, or None.

    Raises:
        ValueError: It is not a number from 0 to 1.
    """
    if p is not None and not 0 <= p <= 1:
        raise ValueError(f"{where}: expected a number from 0 to 1, got {p!r:.30}")
