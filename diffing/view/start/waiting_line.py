"""Few ask the Hub at a time: the page's threads are shared, and slow questions would keep all of them busy."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from diffing.errors import LimitError


class Turns:
    """So many at a time; as many more may wait, for a while. Threads share it."""

    def __init__(self, most: int, seconds: float) -> None:
        """Everybody may come.

        Args:
            most: Questions that are answered at a time.
            seconds: How long another one waits.
        """
        self._seconds = seconds
        self._taken = BoundedSemaphore(2 * most)
        self._turns = BoundedSemaphore(most)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """A turn, until the block ends.

        Raises:
            LimitError: Too many ask.
        """
        busy = LimitError("Many people ask just now: try again in a moment")
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
