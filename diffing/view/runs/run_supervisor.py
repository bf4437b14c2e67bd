"""Starts the child process of one run, limits its environment and time, and collects its progress messages.

The visitor's token lives in that process only. Whatever the run completed before it ended is in the completions cache.
"""

import json
import logging
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from diffing.jobs import ChildProcess, State
from diffing.view.runs.run_child import RunOrder, do_run
from diffing.view.runs.run_state import ProgressTracker, read_early_hypothesis

_log = logging.getLogger(__name__)

_LONGEST_LINE = 2000
"""Maximum number of characters of a log line; some libraries log whole requests."""
_SEEN = (
    *("PATH", "HOME", "LANG", "LC_", "TZ", "TMPDIR", "XDG_", "PYTHON", "VIRTUAL_ENV", "LD_"),
    *("HF_HOME", "HF_ENDPOINT", "HF_HUB_", "HF_DATASETS_", "TRANSFORMERS_", "TOKENIZERS_"),
    *("CUDA", "NVIDIA", "TORCH", "PYTORCH", "OMP_", "MKL_", "OPENBLAS_"),
    *("SSL_CERT", "REQUESTS_CA", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
)
"""Prefixes of the environment variables that a stranger's run may see. A Space's secrets can have any other name."""


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended."""

    state: State
    """`done`, `failed`, or `waiting` if the visitor must sign in."""
    reason: str = ""
    """The reason in one line, unless the run is done."""


class RunProcess:
    """The process of one run. Creating the object starts it."""

    def __init__(self, order: RunOrder) -> None:
        self._token, self._hours = order.token, order.hours
        self._late = threading.Event()
        self._process = ChildProcess(do_run, order, environment=environment(os.environ, order), piped=True)
        threading.Thread(target=self._log_lines, name="run-log", daemon=True).start()
        self._timer = threading.Timer((order.hours or 0) * 3600, self._end_late)
        self._timer.daemon = True
        if order.hours is not None:
            self._timer.start()

    def follow(self, progress: ProgressTracker) -> RunOutcome:
        """Reads progress messages until the process ends."""
        outcome = None
        with self._process.output as stream:
            for line in stream:
                if line.endswith(b"\n"):  # a killed process may leave half a line
                    outcome = _heard(json.loads(line), progress) or outcome
        code = self._process.wait()
        self._timer.cancel()
        if outcome is not None:
            return RunOutcome(outcome.state, self._without_token(outcome.reason))
        if self._late.is_set():
            return RunOutcome(
                "failed",
                f"The run took {self._hours:g} hours, the longest that a run may take here. Completed work is kept: "
                "resume, or use fewer prompts or smaller models",
            )
        memory = ": perhaps it ran out of memory; use smaller models" if code == -9 else ""
        return RunOutcome(
            "failed", f"The run ended unexpectedly (exit code {code}){memory}. Answers so far are saved: resume"
        )

    def kill(self) -> None:
        """Kills the process."""
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
class ActiveRun:
    """A run that is queued, waits for a GPU, or is running."""

    owner: str
    """A digest of the owner's name."""
    token: str | None = field(default=None, repr=False)
    """The visitor's token; None if there is none."""
    progress: ProgressTracker = field(default_factory=ProgressTracker)
    """What the run has reported so far."""
    process: RunProcess | None = None
    """The process; None until it is started."""


def environment(own: Mapping[str, str], order: RunOrder) -> dict[str, str]:
    """The environment variables of a run's process.

    Args:
        own: The environment of the page's process.
        order: The run. A stranger's run gets only what computing needs, because it must act for the stranger, never for
            the account that this machine is logged in with. On your own machine both are the same.
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


def _heard(message: Mapping[str, object], progress: ProgressTracker) -> RunOutcome | None:
    match message:
        case {"stage": str(stage), "done": int(done), "total": int(total)}:
            progress.update(stage, done, total)
        case {"found": list(found)}:
            progress.add(tuple(read_early_hypothesis(each) for each in found))
        case {"done": True}:
            return RunOutcome("done")
        case {"failed": str(reason)}:
            return RunOutcome("failed", reason)
        case {"sign_in": str(reason)}:
            return RunOutcome("waiting", reason)
    return None
