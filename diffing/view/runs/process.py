"""The process that does one run, seen from the page's.

A process, not a thread: it can be ended at once in the middle of anything; it computes without holding the page's
interpreter lock; and what it is signed in with is its own. What it had done lies in the completions cache.
"""

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from diffing.view.runs.records import Record
from diffing.view.runs.state import State, Watch, early_of

_log = logging.getLogger(__name__)

_MODULE = "diffing.view.runs.child"
_LONGEST_LINE = 2000
"""Characters of a line of its log that are kept: some libraries log whole requests."""
_SEEN = (
    *("PATH", "HOME", "LANG", "LC_", "TZ", "TMPDIR", "XDG_", "PYTHON", "VIRTUAL_ENV", "LD_"),
    *("HF_HOME", "HF_ENDPOINT", "HF_HUB_", "HF_DATASETS_", "TRANSFORMERS_", "TOKENIZERS_"),
    *("CUDA", "NVIDIA", "TORCH", "PYTORCH", "OMP_", "MKL_", "OPENBLAS_"),
    *("SSL_CERT", "REQUESTS_CA", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
)
"""Beginnings of the variables that a stranger's run is started with; secrets of a Space can have any other name."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a process is to do."""

    record: Record
    """The run."""
    folder: Path
    """Where its report goes."""
    cache: Path
    """Folder of the completions cache."""
    public: bool
    """Whether strangers use this machine."""
    token: str | None = field(default=None, repr=False)
    """What it is signed in with."""
    hours: float | None = None
    """After which it is ended; None is never."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended."""

    state: State
    """`done`, `failed`, or `waiting` where somebody must sign in."""
    reason: str = ""
    """Why, in one line."""


class RunProcess:
    """Starts when made."""

    def __init__(self, task: Task) -> None:
        self._token, self._hours = task.token, task.hours
        self._late = threading.Event()
        self._process = subprocess.Popen(
            # safe path (-P): a file in the working folder must not stand in for a module
            [sys.executable, "-P", "-m", _MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(os.environ, task),
        )
        record = task.record
        order = {
            "config": json.dumps(asdict(record.config)),
            "limits": json.dumps(asdict(record.limits)),
            "token": task.token,
            "public": task.public,
            "out": str(task.folder),
        }
        stdin = _piped(self._process.stdin)
        try:
            stdin.write(f"{json.dumps(order)}\n".encode())
            stdin.flush()
        except BrokenPipeError:
            _log.error("A run's process ended before it was told what to do")
        threading.Thread(target=self._log_lines, name="run-log", daemon=True).start()
        self._timer = threading.Timer((task.hours or 0) * 3600, self._end_late)
        self._timer.daemon = True
        if task.hours is not None:
            self._timer.start()

    def follow(self, watch: Watch) -> Ended:
        """Listens until the process ends."""
        ended = None
        with _piped(self._process.stdout) as stream:
            for line in stream:
                if line.endswith(b"\n"):  # not half a line of a process that was killed
                    ended = _heard(json.loads(line), watch) or ended
        code = self._process.wait()
        self._timer.cancel()
        _piped(self._process.stdin).close()
        if ended is not None:
            return Ended(ended.state, self._without_token(ended.reason))
        if self._late.is_set():
            return Ended("failed", f"The run took {self._hours:g} hours, one may take no more here. What was done is "
                         "kept: go on, or take fewer prompts or smaller models")  # fmt: skip
        memory = ": perhaps the memory did not suffice; take smaller models" if code == -9 else ""
        return Ended("failed", f"The run ended unexpectedly (exit code {code}){memory}. What was done is kept: go on")

    def kill(self) -> None:
        """Ends it at once."""
        self._process.kill()

    def _end_late(self) -> None:
        self._late.set()
        self.kill()

    def _log_lines(self) -> None:
        with _piped(self._process.stderr) as stream:
            for line in stream:
                text = line.decode(errors="replace").rstrip()[:_LONGEST_LINE]
                _log.info("%s", self._without_token(text))

    def _without_token(self, text: str) -> str:
        return text.replace(self._token, "(token)") if self._token else text


@dataclass(slots=True)
class Live:
    """A run that waits in line, or for its answers, or is running."""

    owner: str
    """A digest of who asks."""
    token: str | None = field(default=None, repr=False)
    """What it is signed in with."""
    watch: Watch = field(default_factory=Watch)
    """What it tells."""
    process: RunProcess | None = None
    """Where it runs, once it does."""


def environment(own: Mapping[str, str], task: Task) -> dict[str, str]:
    """What a run's process is started with.

    Args:
        own: The environment of the page's process.
        task: A stranger's run gets what computing needs and nothing else: it acts for the stranger, never for the
            account that this machine is signed in with. On a machine of one's own these are the same.
    """
    common = {
        # imports must find what they find here, however this process was started
        "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry),
        "DIFFING_CACHE": str(task.cache),
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
    if not task.public:
        return {**own, **common}
    kept = {name: value for name, value in own.items() if name.startswith(_SEEN)}
    login = {"HF_TOKEN_PATH": os.devnull, "HF_HUB_DISABLE_IMPLICIT_TOKEN": "0" if task.token else "1"}
    return {**kept, **common, **login}


def _heard(message: Mapping[str, object], watch: Watch) -> Ended | None:
    match message:
        case {"stage": str(stage), "done": int(done), "total": int(total)}:
            watch.tell(stage, done, total)
        case {"found": list(found)}:
            watch.add(tuple(early_of(each) for each in found))
        case {"done": True}:
            return Ended("done")
        case {"failed": str(reason)}:
            return Ended("failed", reason)
        case {"sign_in": str(reason)}:
            return Ended("waiting", reason)
    return None


def _piped(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None
    return stream
