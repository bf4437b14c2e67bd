"""Limits memory, processor time and priority of worker processes by means of the operating system.

Windows has neither these limits nor such priorities; there, only the owner of the machine can use the page.
"""

import os
import sys
from contextlib import suppress

_NICE_OF_RUNS = 10
"""Lowers the priority below that of the page, which must answer while runs compute."""
_NICE_WHILE_AWAITED = 5
"""Lowers the priority below that of the page but keeps it above that of runs, since somebody waits for the outcome."""

CLOCK_PER_PROCESSOR_SECOND = 20
"""The time by the clock that a process may take for each second of processor time that it may use.

The clock only ends a process that hangs. On a busy machine one of low priority may wait for minutes before it computes
for a few seconds.
"""


def lower_priority() -> None:
    """Lowers the priority of this process, so that processes that answer people come first."""
    _be_nicer(_NICE_OF_RUNS)


def _be_nicer(by: int) -> None:
    if sys.platform != "win32":
        os.nice(by)


def can_bound() -> bool:
    """Whether this system can limit the resources of a process."""
    return sys.platform != "win32"


def keep_within_bounds(*, memory: int, seconds: float, can_write: bool = True) -> None:
    """Makes the system end this process if it exceeds the limits, and lowers its priority.

    Args:
        memory: Maximum address space in bytes, including the libraries.
        seconds: Maximum processor time in seconds.
        can_write: Whether the process may write to files.
    """
    _be_nicer(_NICE_WHILE_AWAITED)
    if sys.platform == "win32":
        return
    import resource

    limits = {resource.RLIMIT_AS: memory, resource.RLIMIT_CPU: max(int(seconds), 1)}
    if not can_write:
        limits[resource.RLIMIT_FSIZE] = 0
    for limit, most in limits.items():
        with suppress(ValueError, OSError):  # not all systems support every limit
            resource.setrlimit(limit, (most, most))
