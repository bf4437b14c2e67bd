"""Limits how many requests of the start page's form are answered at the same time."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from diffing.errors import LimitError


class ConcurrencyLimit:
    """Lets a fixed number of threads proceed, lets as many again wait for a while, and refuses all others."""

    def __init__(self, most: int, seconds: float) -> None:
        """Starts with no thread inside.

        Args:
            most: Maximum number of threads at a time.
            seconds: How long another thread waits.
        """
        self._seconds = seconds
        self._taken = BoundedSemaphore(2 * most)
        self._turns = BoundedSemaphore(most)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Occupies one place until the block ends.

        Raises:
            LimitError: No place became free in time, or too many threads wait.
        """
        busy = LimitError("The page is busy: try again in a moment")
        if not self._taken.acquire(blocking=False):
            raise busy
        try:
            if not self._turns.acquire(timeout=self._seconds):
                raise busy
            try:
                yield
            finally:
                self._turns.release()
        finally:
            self._taken.release()
