"""Runs the annotator's jobs one at a time, retries failed ones, and recovers the jobs of a killed process.

The function that does a job is a parameter. Its effects must be idempotent, because the process can be killed after an
effect and before the job is marked as done.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from filelock import FileLock, Timeout

from diffing.annotate.revision_queue import RevisionJob, RevisionProgress, RevisionQueue
from diffing.annotate.webhook_payload import IgnoredPush
from diffing.errors import DiffingError, LimitError, MissingExtraError, SettingError
from diffing.model_ref import ModelPlace, ModelRef
from diffing.types import OnProgress, Stage

_log = logging.getLogger(__name__)

_PERMANENT = (SettingError, MissingExtraError, LimitError)
"""Errors that another try cannot fix."""
_LOOK_AGAIN = 1.0
"""Seconds between two checks of the queue, to which the web app adds jobs."""
_STOPPED = "the service was stopped in the middle of every try"
_PROGRESS_EVERY = 1.0
"""Seconds between two updates of a job's progress in the queue."""


@dataclass(frozen=True, slots=True)
class FinishedJob:
    """The result of a finished job."""

    dataset: str = ""
    """URL of the result dataset."""
    card: str = ""
    """URL of the pull request or commit."""
    remark: str = ""
    """A remark in one line."""


@dataclass(frozen=True, slots=True)
class PostponedJob:
    """The outcome of a job that may not begin yet; it does not count as a try."""

    reason: str
    """The reason in plain words."""
    seconds: float
    """Seconds until the next try."""


Work: TypeAlias = Callable[[RevisionJob, OnProgress], FinishedJob | IgnoredPush | PostponedJob]
"""A function that does one job. It raises `DiffingError` for problems outside this program."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a job is tried, and how long it waits in between."""

    most: int = 4
    """Maximum number of tries, including the first one."""
    first_wait: float = 60.0
    """Seconds before the second try; the wait doubles with each try."""
    longest_wait: float = 3600.0
    """Maximum wait in seconds."""

    def wait(self, tries: int) -> float:
        """Returns the seconds to wait after a number of tries."""
        return min(self.longest_wait, self.first_wait * 2.0 ** (tries - 1))


class Worker:
    """Runs jobs from the queue while it holds the lock file beside the queue's file.

    The lock ends with its process, even if that is killed. So the holder knows that no other process works on jobs that
    are still marked as running.
    """

    def __init__(
        self,
        queue: RevisionQueue,
        work: Work,
        *,
        tries: RetryPolicy | None = None,
        catch_up: Callable[[], None] | None = None,
    ) -> None:
        self._queue = queue
        self._work = work
        self._tries = tries or RetryPolicy()
        self._catch_up = catch_up
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Makes the worker stop after the current job."""
        self._stopped.set()

    def run(self) -> None:
        """Runs jobs until `stop` is called."""
        lock = FileLock(self._queue.path.with_name(f"{self._queue.path.name}.lock"), thread_local=False)
        while not self._stopped.is_set():
            try:
                with lock.acquire(timeout=_LOOK_AGAIN, poll_interval=0.25):
                    self._queue.recover(self._tries.most, _STOPPED)
                    self._attend()
            except sqlite3.DatabaseError as error:  # a full disk or a locked file can be temporary
                _log.error("The queue %s cannot be used (%s) and will be tried again", self._queue.path.name, error)
                self._stopped.wait(_LOOK_AGAIN)
            except Timeout:
                _log.debug("Another process works on %s", self._queue.path.name)

    def _attend(self) -> None:
        """Runs jobs until `stop` is called, and retries catching up on missed pushes until that succeeds once."""
        caught_up, failures, next_look = self._catch_up is None, 0, 0.0
        while not self._stopped.is_set():
            if not caught_up and time.monotonic() >= next_look:
                caught_up = self._caught_up()
                failures += not caught_up
                next_look = time.monotonic() + self._tries.wait(max(1, failures))
            if not self.run_one():
                self._stopped.wait(_LOOK_AGAIN)

    def _caught_up(self) -> bool:
        assert self._catch_up is not None
        try:
            self._catch_up()
        except DiffingError as error:
            _log.warning("Missed pushes cannot be determined yet: %s", one_line(error))
            return False
        return True

    def run_one(self) -> bool:
        """Runs the first job that is due; returns False if there is none."""
        job = self._queue.claim()
        if job is None:
            return False
        name = _name(job)
        try:
            outcome = self._work(job, self._progress(job))
        except DiffingError as error:
            self._failed(job, one_line(error), final=isinstance(error, _PERMANENT))
        except Exception as error:  # noqa: BLE001 - a bug in one job must not end the service for all
            _log.exception("%s: this is a bug", name)
            self._failed(job, f"internal error ({type(error).__name__}), see the log", final=False)
        else:
            if isinstance(outcome, PostponedJob):
                self._queue.retry(job.key, outcome.reason, outcome.seconds, counts=False)
            elif isinstance(outcome, IgnoredPush):
                _log.info("%s: ignored, %s", name, outcome.reason)
                self._queue.move(job.key, "ignored", outcome.reason)
            else:
                _log.info("%s: done", name)
                result = RevisionProgress(dataset=outcome.dataset, card=outcome.card)
                self._queue.move(job.key, "done", outcome.remark, result)
        return True

    def _failed(self, job: RevisionJob, reason: str, *, final: bool) -> None:
        _log.warning("%s: try %d failed: %s", _name(job), job.tries, reason)
        if final or job.tries >= self._tries.most:
            self._queue.move(job.key, "failed", reason)
        else:
            self._queue.retry(job.key, reason, self._tries.wait(job.tries))

    def _progress(self, job: RevisionJob) -> OnProgress:
        last, before = 0.0, ""

        def on_progress(stage: Stage, done: int, total: int) -> None:
            nonlocal last, before
            now = time.monotonic()
            if stage != before or now - last >= _PROGRESS_EVERY:
                last, before = now, stage
                self._queue.tell(job.key, RevisionProgress(stage, done, total))

        return on_progress


def _name(job: RevisionJob) -> str:
    return str(ModelRef(ModelPlace.HUB, job.task.repository, job.task.commit[:7]))


def one_line(error: Exception) -> str:
    """Returns an error's message on one line, cut to 500 characters."""
    return " ".join(str(error).split())[:500]
