"""Runs a call with a time limit, for untrusted code (such as chat templates) that runs within this process."""

import ctypes
import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


def call_within(seconds: float, call: Callable[[], Result]) -> Result:
    """Runs a call in a thread of its own, and gives up after a time limit.

    Args:
        seconds: The time limit.
        call: The function to run. It can be stopped between two steps of Python, but not within one long step of a
            library.

    Raises:
        TimeoutError: The call took longer.
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
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        # the documented way to raise an exception in another thread
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SystemExit))
        raise TimeoutError(f"it takes longer than {seconds:.0f} s")
    if problems:
        raise problems[0]
    return results[0]
