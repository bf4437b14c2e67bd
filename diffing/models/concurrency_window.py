"""Adapts the number of simultaneous requests to what a server takes: additive increase, multiplicative decrease."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class ConcurrencyWindow:
    """Limits the requests under way: halves the limit when the server is overloaded, and raises it again step by step.

    A window of answers raises the limit by one, up to the user's setting. All refusals of requests that were sent
    before the limit was last lowered count as one, since they tell nothing of the lower limit. The rule is that of
    Chiu and Jain, "Analysis of the increase and decrease algorithms for congestion avoidance in computer networks"
    (1989), under which several users of a server also come to equal shares.
    """

    def __init__(self, most: int) -> None:
        """Begins with the highest limit.

        Args:
            most: Maximum number of simultaneous requests, at least 1.
        """
        self._most = most
        self._limit = float(most)
        self._under_way = 0
        self._sent = 0
        self._sent_at_decrease = 0
        self._changed = threading.Condition()

    @property
    def limit(self) -> int:
        """The number of requests that may be under way now."""
        return int(self._limit)

    @contextmanager
    def place(self, stop: threading.Event) -> Iterator[int]:
        """Waits until one more request may be sent, or until `stop` is set, and counts it as under way meanwhile.

        Yields:
            The number of the request, for `overloaded`.
        """
        with self._changed:
            # while any wait, at least one request is under way, whose end wakes them
            self._changed.wait_for(lambda: stop.is_set() or self._under_way < self.limit)
            self._under_way += 1
            self._sent += 1
            number = self._sent
        try:
            yield number
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def answered(self) -> None:
        """Raises the limit a little, as the server answered a request."""
        with self._changed:
            self._limit = min(self._most, self._limit + 1 / self._limit)
            self._changed.notify_all()

    def overloaded(self, number: int) -> None:
        """Halves the limit, unless the refused request was sent before the limit was last lowered.

        Args:
            number: The number of the refused request.
        """
        with self._changed:
            if number > self._sent_at_decrease:
                self._limit = max(1.0, self._limit / 2)
                self._sent_at_decrease = self._sent
