"""One run at a time in a report's folder: two at once would take each other's files away.

The lock lies on the folder itself, so it leaves no file behind, and the system releases it when the process ends, also
when that is killed. Where a folder cannot be locked there is no lock. Knows no report.
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

_LOOK_AGAIN = 0.1
"""Seconds between two looks at a folder that another run uses."""
_held: set[tuple[str, int]] = set()
"""Folders with the thread that is alone in each: within, a save finds its own run there."""


@contextmanager
def alone_in(folder: Path, *, on_wait: Callable[[], None] = lambda: None, patience: float = inf) -> Iterator[None]:
    """Waits until no other run is in a folder, and keeps others out.

    Args:
        folder: It must exist.
        on_wait: Called once, if another run is there.
        patience: Seconds to wait.

    Raises:
        SettingError: Another run is there still.
    """
    place = str(folder.resolve()), threading.get_ident()
    if place in _held or fcntl is None:
        yield
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # whoever writes there is told why that is not possible
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
                f"Another run writes its report to {folder}. Wait until it has ended, or give another folder"
            )
        time.sleep(_LOOK_AGAIN)
