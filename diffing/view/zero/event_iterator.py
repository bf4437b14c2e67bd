"""A function that tells what happens while it works, as an iterator that can be left at any time."""

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from queue import Empty, SimpleQueue
from threading import Event
from typing import TypeVar

T = TypeVar("T")


class LeftError(Exception):
    """Nobody listens any more; raised where the function tells something."""


def told(work: Callable[[Callable[[T], None]], None], *, every: float = 0.5) -> Generator[T | None]:
    """Runs a function in a thread and yields what it tells; None where it is silent, so that it can be left then too.

    The thread sees the caller's context: to whom a GPU is lent is told by the event it is asked in. When the iterator
    is closed, what the function tells next raises `LeftError` there, and nobody waits for that.

    Args:
        work: Gets what it tells with.
        every: Seconds of silence after which None is yielded.
    """
    notes: SimpleQueue[T | None] = SimpleQueue()
    gone = Event()

    def tell(note: T) -> None:
        if gone.is_set():
            raise LeftError
        notes.put(note)

    pool = ThreadPoolExecutor(1, thread_name_prefix="told")
    try:
        ending = pool.submit(copy_context().run, work, tell)
        ending.add_done_callback(lambda _: notes.put(None))  # wakes who waits
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
