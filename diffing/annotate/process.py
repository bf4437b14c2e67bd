"""The worker's process, beside the one that takes deliveries.

Computing in the same process would keep deliveries waiting for more than a second (measured by
`tests/benchmarks/bench_webhook.py`), and a diff for which the memory does not suffice would take the service down.
"""

import logging
import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess

from diffing.masking import MaskingFormatter

_log = logging.getLogger(__name__)

_PAUSE = 1.0
"""Seconds before a process that ended by itself is started again; doubles while it ends soon, as with a broken file."""
_LONGEST_PAUSE = 60.0
_SOON = 60.0
"""Seconds of life after which the pause is the first one again."""


class WorkerProcess:
    """Runs a function in a process of its own; starts it again when it ends, and ends with this process."""

    def __init__(self, live: Callable[..., None], *arguments: object) -> None:
        self._live = live
        self._arguments = arguments
        self._stopped = threading.Event()
        self._process: SpawnProcess | None = None
        self._guard = threading.Thread(target=self._keep_alive, name="annotate", daemon=True)

    def start(self) -> None:
        """Starts it."""
        self._guard.start()

    def stop(self) -> None:
        """Ends it at once: whatever it was doing can be done again."""
        self._stopped.set()
        if self._process is not None:
            self._process.kill()
        self._guard.join(timeout=5.0)

    def _keep_alive(self) -> None:
        # not forked: threads of the server may hold locks at that moment
        context = multiprocessing.get_context("spawn")
        pause = _PAUSE
        while not self._stopped.is_set():
            started = time.monotonic()
            process = context.Process(target=_begin, args=(self._live, self._arguments), daemon=True)
            process.start()
            self._process = process
            if self._stopped.is_set():  # in the meantime
                process.kill()
            process.join()
            if not self._stopped.is_set():
                pause = _PAUSE if time.monotonic() - started > _SOON else pause
                _log.error("The worker's process ended (%s): started again in %.0f s", process.exitcode, pause)
                self._stopped.wait(pause)
                pause = min(2.0 * pause, _LONGEST_PAUSE)


def _begin(live: Callable[..., None], arguments: tuple[object, ...]) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(MaskingFormatter("%(asctime)s %(message)s"))
    logging.basicConfig(handlers=[handler])
    logging.getLogger("diffing").setLevel(logging.INFO)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    live(*arguments)


def _end_with_parent() -> None:
    """Also when that is killed: two workers of two services must not wait for each other."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
