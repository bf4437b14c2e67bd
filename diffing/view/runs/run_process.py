"""What the process of one run does, and tells the page's process, line by line.

It serves one visitor alone. So the visitor's token can be what this process is signed in with, for every library at
once, and cannot be another visitor's; it comes over a pipe, not by the command line or the environment it starts with.
"""

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TextIO

from diffing.errors import DiffingError
from diffing.stages import ACCESS
from diffing.types import Hypothesis, Metrics
from diffing.view.runs.access import SignInError, check_access
from diffing.view.runs.run_state import Early
from diffing.view.runs.run_store import RunTask

_EVERY = 0.2
"""Seconds between two notes of progress of one stage."""
_MOST_FOUND = 100
"""Early hypotheses told of one method: the SAE method can find hundreds, and a page is read by people."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a process is to do."""

    task: RunTask
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


def do_run(order: Order) -> None:
    """Does one run, and tells how it ended."""
    if order.token:
        os.environ["HF_TOKEN"] = order.token
    voice = Voice(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    os.dup2(2, 1)  # what a library prints is no message
    try:
        _run(order, voice)
    except SignInError as error:
        voice.say({"sign_in": _line(error)})
    except DiffingError as error:
        voice.say({"failed": _line(error)})
    else:
        voice.say({"done": True})


class Voice:
    """Tells the process that started this one what happens, but not more often than anybody could look."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._told: dict[str, float] = {}

    def say(self, message: Mapping[str, object]) -> None:
        """One message."""
        self._stream.write(f"{json.dumps(message)}\n")
        self._stream.flush()

    def progress(self, stage: str, done: int, total: int) -> None:
        """An `OnProgress`."""
        now = time.monotonic()
        if done == total or now - self._told.get(stage, -_EVERY) >= _EVERY:
            self._told[stage] = now
            self.say({"stage": stage, "done": done, "total": total})

    def found(self, hypotheses: Sequence[tuple[Hypothesis, Metrics | None]]) -> None:
        """An `OnHypotheses`: the largest differences on train first."""
        early = [_early(hypothesis, on_train) for hypothesis, on_train in hypotheses]
        early.sort(key=lambda each: -((each.fits or 0) - (each.against or 0)))
        self.say({"found": [asdict(each) for each in early[:_MOST_FOUND]]})


def _run(order: Order, voice: Voice) -> None:
    from diffing.report import save_report
    from diffing.run import run

    config, limits = order.task.config, order.task.limits
    if order.public:
        voice.progress(ACCESS, 0, 0)
        check_access(config, order.token)
    report = run(config, limits=limits, on_progress=voice.progress, on_hypotheses=voice.found)
    save_report(report, order.folder)


def _early(hypothesis: Hypothesis, on_train: Metrics | None) -> Early:
    own = hypothesis
    if on_train is None:
        return Early(own.method, own.text, own.direction, own.category)
    return Early(own.method, own.text, own.direction, own.category, on_train.n, on_train.k_for, on_train.k_against)


def _line(error: DiffingError) -> str:
    return " ".join(str(error).split())
