"""Processes in which jobs are done, as seen from the one that starts them.

A process, not a thread: it can be ended at once in the middle of anything, and it computes without keeping those
waiting whom this process answers. It is not forked: threads of a server may hold locks at that moment.
"""

import logging
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import IO

_log = logging.getLogger(__name__)

_MODULE = "diffing.jobs.child"
_PAUSE = 1.0
"""Seconds before a process that ended by itself is started again; doubles while it ends soon, as with a broken file."""
_LONGEST_PAUSE = 60.0
_SOON = 60.0
"""Seconds of life after which the pause is the first one again."""


class ChildProcess:
    """A process that calls one function and ends with this process, however that ends. Starts when made."""

    def __init__(
        self,
        function: Callable[..., None],
        *arguments: object,
        environment: Mapping[str, str] | None = None,
        piped: bool = False,
    ) -> None:
        """Starts it.

        Args:
            function: What it calls; one that can be imported.
            arguments: What it is called with, told over a pipe: nobody sees them in the list of processes.
            environment: What it is started with; None is this process's own.
            piped: Whether `output` and `log` are pipes, not those of this process.

        Raises:
            OSError: It cannot be started.
        """
        # imports must find what they find here, however this process was started
        path = {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
        pipe = subprocess.PIPE if piped else None
        self._process = subprocess.Popen(
            # safe path (-P): a file in the working folder must not stand in for a module
            [sys.executable, "-P", "-m", _MODULE],
            stdin=subprocess.PIPE,
            stdout=pipe,
            stderr=pipe,
            env={**(os.environ if environment is None else environment), **path},
        )
        try:
            self._input.write(pickle.dumps((function, arguments)))
            self._input.flush()
        except BrokenPipeError:
            _log.error("A process ended before it was told what to do")

    @property
    def output(self) -> IO[bytes]:
        """What it writes to its standard output; only if `piped`."""
        return _pipe(self._process.stdout)

    @property
    def log(self) -> IO[bytes]:
        """What it writes to its standard error; only if `piped`."""
        return _pipe(self._process.stderr)

    def wait(self) -> int:
        """Waits until it has ended; its exit code."""
        code = self._process.wait()
        self._input.close()
        return code

    def kill(self) -> None:
        """Ends it at once."""
        self._process.kill()

    @property
    def _input(self) -> IO[bytes]:
        return _pipe(self._process.stdin)


class Supervisor:
    """Runs a function in a process of its own; starts it again when it ends, and ends with this process."""

    def __init__(self, function: Callable[..., None], *arguments: object) -> None:
        self._function = function
        self._arguments = arguments
        self._stopped = threading.Event()
        self._process: ChildProcess | None = None
        self._thread = threading.Thread(target=self._keep_alive, name="supervisor", daemon=True)

    def start(self) -> None:
        """Starts it."""
        self._thread.start()

    def stop(self) -> None:
        """Ends it at once: whatever it was doing can be done again."""
        self._stopped.set()
        if self._process is not None:
            self._process.kill()
        self._thread.join(timeout=5.0)

    def _keep_alive(self) -> None:
        pause = _PAUSE
        while not self._stopped.is_set():
            started = time.monotonic()
            self._process = process = ChildProcess(self._function, *self._arguments)
            if self._stopped.is_set():  # in the meantime
                process.kill()
            code = process.wait()
            if not self._stopped.is_set():
                pause = _PAUSE if time.monotonic() - started > _SOON else pause
                _log.error("The worker's process ended (%s): started again in %.0f s", code, pause)
                self._stopped.wait(pause)
                pause = min(2.0 * pause, _LONGEST_PAUSE)


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None
    return stream
