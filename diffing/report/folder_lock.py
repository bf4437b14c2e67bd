"""Locks a report's folder, so that two runs never write to it at once and delete each other's files.

The lock is on the folder itself, so it leaves no file behind, and the operating system releases it when the process
ends, even if the process is killed. On a system or file system without such locks, nothing is locked.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path

from diffing.errors import SettingError

try:
    import fcntl
except ImportError:  # not a POSIX system
    fcntl = None  # type: ignore[assignment]

_POLL_SECONDS = 0.1
"""Seconds between two attempts to lock a folder that another run uses."""
_held: set[tuple[str, int]] = set()
"""The locked folders, each with the thread that holds the lock, so that a run can save into its own locked folder."""


@contextmanager
def locked_folder(folder: Path, *, on_wait: Callable[[], None] = lambda: None, patience: float = inf) -> Iterator[None]:
    """Waits until no other run uses a folder, then holds a lock on it.

    Args:
        folder: The folder, which must exist.
        on_wait: Called once if another run holds the lock.
        patience: The longest time to wait, in seconds.

    Raises:
        SettingError: Another run still holds the lock after that time.
    """
    place = str(folder.resolve()), threading.get_ident()
    if place in _held or fcntl is None:
        yield
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # writing to the folder will fail with a clearer error
        yield
        return
    try:
        _wait(folder, descriptor, on_wait, time.monotonic() + patience)
        _held.add(place)
        yield
    finally:
        _held.discard(place)
        os.close(descriptor)


def _wait(folder: Path, descriptor: int, on_wait: Callable[[], None], until: float) -> None:
    waited = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if not waited:
                on_wait()
            waited = True
        except OSError:  # a file system without locks
            return
        if time.monotonic() > until:
            raise SettingError(
                f"Another run is writing its report to {folder}. Wait until it has ended, or give another folder"
            )
        time.sleep(_POLL_SECONDS)
