"""How work grows with its input, told by the processor's time of this thread: other processes do not count."""

import time
from collections.abc import Callable

import pytest

_TIMES = 8
"""How much longer the second input is; quadratic work takes 64 times as much."""
_MOST = 4 * _TIMES
_TICK = 0.02
"""Seconds within which nothing is told apart."""


def assert_linear(work: Callable[[int], object], size: int) -> None:
    """Does work on an input of a size and on one eight times as long, and looks at the least that each ever took.

    Args:
        work: Takes the size.
        size: Of the smaller input.
    """
    small = min(_processor_time(work, size) for _ in range(3))
    most, large = _MOST * small + _TICK, float("inf")
    for _ in range(3):  # the first that is fast enough decides
        large = min(large, _processor_time(work, size * _TIMES))
        if large < most:
            return
    pytest.fail(f"{_TIMES} times the input took {large / small:.0f} times as long")


def _processor_time(work: Callable[[int], object], size: int) -> float:
    began = time.thread_time()
    work(size)
    return time.thread_time() - began
