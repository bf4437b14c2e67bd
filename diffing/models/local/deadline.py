"""Runs a call with limits of time and memory, for untrusted code (such as chat templates) that runs in this process."""

import ctypes
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")

_ALLOCATED = Path("/proc/self/statm")
_one_at_a_time = threading.Lock()


def call_within(seconds: float, memory: int, call: Callable[[], Result]) -> Result:
    """Runs a call in a thread of its own, and gives up when it takes too long or asks for too much memory.

    Args:
        seconds: How long it may take.
        memory: How many bytes the process may allocate meanwhile, in all its threads together.
        call: What to run. It is stopped between two steps of Python; a single long step of a library is not.

    Raises:
        TimeoutError: It took longer.
        MemoryError: It asked for more memory, where the system can limit it (Linux).
        Exception: Whatever the call raises.
    """
    results: list[Result] = []
    problems: list[Exception] = []

    def run() -> None:
        try:
            results.append(call())
        except SystemExit:  # the caller no longer waits
            return
        except Exception as error:  # noqa: BLE001 - raised again for the caller
            problems.append(error)

    thread = threading.Thread(target=run, daemon=True)
    with _limited(memory):
        thread.start()
        thread.join(seconds)
    if thread.is_alive():
        # the documented way to raise an exception in another thread
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SystemExit))
        raise TimeoutError(f"it takes longer than {seconds:.0f} s")
    if problems and isinstance(problems[0], MemoryError):
        raise MemoryError(f"it takes more than {memory / 2**20:,.0f} MiB of memory")
    if problems:
        raise problems[0]
    return results[0]


@contextmanager
def _limited(memory: int) -> Iterator[None]:
    """Within this block the system refuses the process more memory than it has and `memory` bytes."""
    if not _ALLOCATED.exists():  # another system
        yield
        return
    import resource

    with _one_at_a_time:  # the limit is the process's, and each block sets it back to what it was
        before, most = resource.getrlimit(resource.RLIMIT_DATA)
        set_before = [each for each in (before, most) if each != resource.RLIM_INFINITY]
        resource.setrlimit(resource.RLIMIT_DATA, (min([_allocated() + memory, *set_before]), most))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_DATA, (before, most))


def _allocated() -> int:
    """Bytes of data and stacks of this process, as the limit counts them."""
    import resource

    pages = _ALLOCATED.read_text("ascii").split()[5]
    return int(pages) * resource.getpagesize()
