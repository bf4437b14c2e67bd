"""Answers kept in memory for a short while: a page asks the same with every key that is pressed."""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Remembered(Generic[Value]):
    """The latest answers by question. Threads may share it."""

    def __init__(self, seconds: float, most: int = 1000) -> None:
        self._seconds = seconds
        self._most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, tuple[float, Value]] = OrderedDict()

    def get(self, question: Hashable, answer: Callable[[], Value]) -> Value:
        """The answer that is kept, else a new one; what `answer` raises is not kept."""
        with self._lock:
            kept = self._kept.get(question)
        if kept is not None and time.monotonic() - kept[0] < self._seconds:
            return kept[1]
        value = answer()
        with self._lock:
            self._kept[question] = (time.monotonic(), value)
            self._kept.move_to_end(question)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return value


def asker(token: str | None) -> str:
    """Whose answers these are, without their token: one visitor's private models are not another's."""
    return "" if token is None else hashlib.sha256(token.encode()).hexdigest()
