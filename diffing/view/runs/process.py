"""The process that does one run, as seen from the page's.

What it is signed in with is its own, and what it had done when it ended lies in the completions cache.
"""

import json
import logging
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from diffing.jobs import ChildProcess, State
from diffing.view.runs.run_process import Order, do_run
from diffing.view.runs.run_state import Watch, early_of

_log = logging.getLogger(__name__)

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
class Ended:
    """How a run ended."""

    state: State
    """`done`, `failed`, or `waiting` where somebody must sign in."""
    reason: str = ""
    """Why, in one line."""


class RunProcess:
    """Starts when made."""

    def __init__(self, order: Order) -> None:
        self._token, self._hours = order.token, order.hours
        self._late = threading.Event()
        self._process = ChildProcess(do_run, order, environment=environment(os.environ, order), piped=True)
        threading.Thread(target=self._log_lines, name="run-log", daemon=True).start()
        self._timer = threading.Timer((order.hours or 0) * 3600, self._end_late)
        self._timer.daemon = True
        if order.hours is not None:
            self._timer.start()

    def follow(self, watch: Watch) -> Ended:
        """Listens until the process ends."""
        ended = None
        with self._process.output as stream:
            for line in stream:
                if line.endswith(b"\n"):  # not half a line of a process that was killed
                    ended = _heard(json.loads(line), watch) or ended
        code = self._process.wait()
        self._timer.cancel()
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
        with self._process.log as stream:
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


def environment(own: Mapping[str, str], order: Order) -> dict[str, str]:
    """What a run's process is started with.

    Args:
        own: The environment of the page's process.
        order: A stranger's run gets what computing needs and nothing else: it acts for the stranger, never for the
            account that this machine is signed in with. On a machine of one's own these are the same.
    """
    common = {
        "DIFFING_CACHE": str(order.cache),
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
    if not order.public:
        return {**own, **common}
    kept = {name: value for name, value in own.items() if name.startswith(_SEEN)}
    login = {"HF_TOKEN_PATH": os.devnull, "HF_HUB_DISABLE_IMPLICIT_TOKEN": "0" if order.token else "1"}
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
