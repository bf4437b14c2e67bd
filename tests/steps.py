"""Counts the steps that something takes: lines of Python that are run, whosever they are.

What C code does within a line is not counted: where it looks through a text it does so once (`find`, `split`, a pattern
that never looks back), or its text has a bound.
"""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def steps_of(run: Callable[[], object]) -> int:
    """The lines that were run, in every function that was called."""
    steps = 0

    def line(frame: FrameType, event: str, _: object) -> Any:
        nonlocal steps
        steps += event == "line"
        return line

    before = sys.gettrace()
    sys.settrace(line)
    try:
        run()
    finally:
        sys.settrace(before)
    return steps


def growth(run: Callable[[int], object], size: int) -> float:
    """How many times as many steps twice the size takes; 2 is linear. What a first call prepares does not count."""
    run(size)
    return steps_of(lambda: run(2 * size)) / max(steps_of(lambda: run(size)), 1)
