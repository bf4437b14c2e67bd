"""Runs a function in a thread, and turns its progress messages into an iterator that can be closed at any time."""

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from queue import Empty, SimpleQueue
from threading import Event
from typing import TypeVar

T = TypeVar("T")


class ConsumerGoneError(Exception):
    """The iterator was closed; raised in the function when it reports its next message."""


def run_in_thread(work: Callable[[Callable[[T], None]], None], *, every: float = 0.5) -> Generator[T | None]:
    """Runs a function in a thread and yields its messages, and None during silence.

    Because of the None, the caller can close the iterator at any time. The thread inherits the caller's context
    variables, because they tell `spaces` which event a GPU is lent to. After the iterator is closed, the function's
    next message raises `ConsumerGoneError` there; nothing waits for that.

    Args:
        work: The function. It receives a callback for its messages.
        every: Seconds of silence after which None is yielded.
    """
    notes: SimpleQueue[T | None] = SimpleQueue()
    gone = Event()

    def tell(note: T) -> None:
        if gone.is_set():
            raise ConsumerGoneError
        notes.put(note)

    pool = ThreadPoolExecutor(1, thread_name_prefix="told")
    try:
        ending = pool.submit(copy_context().run, work, tell)
        ending.add_done_callback(lambda _: notes.put(None))  # wakes the consumer
        while not ending.done() or not notes.empty():
            yield _next(notes, every)
        ending.result()
    finally:
        gone.set()
        pool.shutdown(wait=False)


def _next(notes: "SimpleQueue[T | None]", every: float) -> T | None:
    try:
        return notes.get(timeout=every)
    except Empty:
        return None
