"""Waiting in tests: for events, with a deadline that a busy machine does not reach."""

import time
from collections.abc import Callable

DEADLINE = 900.0
"""Seconds until something that has not happened counts as never happening."""


def until(happened: Callable[[], object], seconds: float = DEADLINE) -> None:
    """Waits until it is true."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
