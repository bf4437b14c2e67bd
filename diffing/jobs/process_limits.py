"""Limits that the operating system keeps, for processes of ours that do work for others.

Windows has neither these limits nor priorities of this kind; there, nobody but the owner of the machine is served.
"""

import os
import sys
from contextlib import suppress

_NICE = 10
"""Lower priority than the page's: it must answer while others compute."""


def lower_priority() -> None:
    """Lets processes that answer people come first."""
    if sys.platform != "win32":
        os.nice(_NICE)


def can_bound() -> bool:
    """Whether this system can bound what a process takes."""
    return sys.platform != "win32"


def keep_within_bounds(*, memory: int, seconds: float, can_write: bool = True) -> None:
    """Has the system end this process if it takes more, and lowers its priority.

    Args:
        memory: Bytes of address space, including the libraries.
        seconds: Processor time.
        can_write: Whether it may write to files.
    """
    lower_priority()
    if sys.platform == "win32":
        return
    import resource

    limits = {resource.RLIMIT_AS: memory, resource.RLIMIT_CPU: max(int(seconds), 1)}
    if not can_write:
        limits[resource.RLIMIT_FSIZE] = 0
    for limit, most in limits.items():
        with suppress(ValueError, OSError):  # some systems have no such limit
            resource.setrlimit(limit, (most, most))
