"""Starts, supervises and ends worker processes.

Jobs run in processes and not in threads, so that they can be ended at any moment and do not slow down the server. The
processes are not forked, because threads of a server may hold locks at that moment.
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
"""Seconds before a process that ended is restarted; doubles if it keeps ending soon, for example with a broken file."""
_LONGEST_PAUSE = 60.0
_SOON = 60.0
"""A process that lived longer than this many seconds is restarted after the initial pause."""


class ChildProcess:
    """A process that calls one function; it ends with this process, however that ends."""

    def __init__(
        self,
        function: Callable[..., None],
        *arguments: object,
        environment: Mapping[str, str] | None = None,
        piped: bool = False,
    ) -> None:
        """Starts the process.

        Args:
            function: The function to call; it must be importable.
            arguments: Its arguments, which are sent through a pipe, so that they are not in the list of processes.
            environment: Environment variables; None for those of this process.
            piped: Whether `output` and `log` are pipes; otherwise the process shares the streams of this one.

        Raises:
            OSError: The process cannot be started.
        """
        # the process must import the same modules as this one
        path = {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
        pipe = subprocess.PIPE if piped else None
        self._process = subprocess.Popen(
            # -P (safe path): a file in the working folder must not replace a module
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
            _log.error("A worker process ended before it received its job")

    @property
    def output(self) -> IO[bytes]:
        """Its standard output; only if `piped`."""
        return _pipe(self._process.stdout)

    @property
    def log(self) -> IO[bytes]:
        """Its standard error; only if `piped`."""
        return _pipe(self._process.stderr)

    def wait(self) -> int:
        """Waits until the process has ended, and returns its exit code."""
        code = self._process.wait()
        self._input.close()
        return code

    def kill(self) -> None:
        """Ends the process at once."""
        self._process.kill()

    @property
    def _input(self) -> IO[bytes]:
        return _pipe(self._process.stdin)


class Supervisor:
    """Runs a function in a separate process, restarts it when it ends, and ends it with this process."""

    def __init__(self, function: Callable[..., None], *arguments: object) -> None:
        self._function = function
        self._arguments = arguments
        self._stopped = threading.Event()
        self._process: ChildProcess | None = None
        self._thread = threading.Thread(target=self._keep_alive, name="supervisor", daemon=True)

    def start(self) -> None:
        """Starts the process."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the process at once; its jobs must be safe to repeat."""
        self._stopped.set()
        if self._process is not None:
            self._process.kill()
        self._thread.join(timeout=5.0)

    def _keep_alive(self) -> None:
        pause = _PAUSE
        while not self._stopped.is_set():
            started = time.monotonic()
            self._process = process = ChildProcess(self._function, *self._arguments)
            if self._stopped.is_set():  # `stop` was called while the process started
                process.kill()
            code = process.wait()
            if not self._stopped.is_set():
                pause = _PAUSE if time.monotonic() - started > _SOON else pause
                _log.error("The worker process ended (%s) and will be restarted in %.0f s", code, pause)
                self._stopped.wait(pause)
                pause = min(2.0 * pause, _LONGEST_PAUSE)


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None
    return stream
