"""The child process of one run: it does the run and reports progress to the page's process as lines of JSON.

It serves one visitor alone, so it can log in with the visitor's token for all libraries at once. The token arrives
through a pipe: the command line and the environment could be read by others.
"""

import json
import math
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TextIO

from diffing.errors import DiffingError, SettingError
from diffing.estimates import Metrics
from diffing.outputs.phrasing import hypothesis_text
from diffing.stages import ACCESS, PREPARE
from diffing.types import Hypothesis, Prompt, Side
from diffing.view.runs.access import SignInError, check_access
from diffing.view.runs.latest_responses import LatestResponses, LivePair
from diffing.view.runs.run_state import EarlyHypothesis
from diffing.view.runs.run_store import RunTask

_EVERY = 0.2
"""Minimum number of seconds between two progress messages of a stage."""
_EVERY_RESPONSE = 1.0
"""Minimum number of seconds between two messages with responses, which people read."""
_MOST_FOUND = 100
"""Maximum number of early hypotheses per method. The SAE method can find hundreds, and people read the page."""


@dataclass(frozen=True, slots=True)
class RunOrder:
    """What a process needs to do a run."""

    task: RunTask
    """The run's config and limits."""
    folder: Path
    """Where the report is saved."""
    cache: Path
    """The folder of the completions cache."""
    public: bool
    """Whether strangers use this machine."""
    token: str | None = field(default=None, repr=False)
    """The visitor's token."""
    hours: float | None = None
    """Hours after which the process is killed; None means never."""


def do_run(order: RunOrder) -> None:
    """Does one run and reports how it ended."""
    if order.token:
        os.environ["HF_TOKEN"] = order.token
    writer = ProgressWriter(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    os.dup2(2, 1)  # prints of libraries must not be read as messages
    try:
        _run(order, writer)
    except SignInError as error:
        writer.write({"sign_in": _line(error)})
    except DiffingError as error:
        writer.write({"failed": _line(error), "by_setting": isinstance(error, SettingError)})
    else:
        writer.write({"done": True})


class ProgressWriter:
    """Writes messages for the parent process, with progress at most a few times a second."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._last_written: dict[str, float] = {}
        self._latest = LatestResponses()
        self._shown: tuple[LivePair, ...] = ()
        self._last_shown = -math.inf

    def write(self, message: Mapping[str, object]) -> None:
        """Writes one message."""
        self._stream.write(f"{json.dumps(message)}\n")
        self._stream.flush()

    def progress(self, stage: str, done: int, total: int) -> None:
        """Reports the progress of a stage; an `OnProgress` callback."""
        now = time.monotonic()
        if done == total or now - self._last_written.get(stage, -_EVERY) >= _EVERY:
            self._last_written[stage] = now
            self.write({"stage": stage, "done": done, "total": total})
        self._show()

    def responded(self, side: Side, prompt: Prompt, text: str) -> None:
        """Reports a response, unless later ones replace it at once; an `OnResponse` callback."""
        self._latest.add(side, prompt, text)
        self._show()

    def _show(self) -> None:
        now = time.monotonic()
        if now - self._last_shown < _EVERY_RESPONSE or self._latest.pairs == self._shown:
            return
        self._last_shown, self._shown = now, self._latest.pairs
        self.write({"latest": [asdict(pair) for pair in self._shown]})

    def found(self, hypotheses: Sequence[tuple[Hypothesis, Metrics | None]]) -> None:
        """Reports early hypotheses, those with the largest differences on train first; an `OnHypotheses` callback."""
        early = [_early(hypothesis, on_train) for hypothesis, on_train in hypotheses]
        early.sort(key=lambda each: -((each.fits or 0) - (each.against or 0)))
        self.write({"found": [asdict(each) for each in early[:_MOST_FOUND]]})


def _run(order: RunOrder, writer: ProgressWriter) -> None:
    from diffing.report import save_report
    from diffing.run import run

    config, limits = order.task.config, order.task.limits
    if order.public:
        writer.progress(ACCESS, 0, 0)
        check_access(config, order.token)
    writer.progress(PREPARE, 0, 0)
    report = run(
        config,
        limits=limits,
        on_progress=writer.progress,
        on_hypotheses=writer.found,
        on_response=writer.responded,
    )
    save_report(report, order.folder)


def _early(hypothesis: Hypothesis, on_train: Metrics | None) -> EarlyHypothesis:
    own = hypothesis
    shown = EarlyHypothesis(own.method, hypothesis_text(own), own.direction, own.category)
    if on_train is None:
        return shown
    return replace(shown, pairs=on_train.n, fits=on_train.k_for, against=on_train.k_against)


def _line(error: DiffingError) -> str:
    return " ".join(str(error).split())
