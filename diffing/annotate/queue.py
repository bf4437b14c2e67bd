"""The queue of revisions to be annotated, in one SQLite file: nothing in it is lost when the process is killed.

A revision of a repository is one job, however often it is announced. States go `queued` -> `running` -> `done` |
`ignored` | `failed`, and back to `queued` between two tries. Knows neither the Hub nor what a job does.
"""

import sqlite3
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast, get_args

from diffing.annotate.delivery import Push
from diffing.errors import SettingError

State: TypeAlias = Literal["queued", "running", "done", "ignored", "failed"]
STATES: tuple[State, ...] = get_args(State)

QUEUE = "queue.sqlite"
"""Name of the file in the service's folder."""
_BUSY_SECONDS = 10.0
"""How long to wait for another process that is writing."""
_CLOCK_SKEW = 5.0
"""Seconds that a clock may be put back unnoticed."""
_TABLES = """
CREATE TABLE IF NOT EXISTS jobs (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    repository TEXT NOT NULL COLLATE NOCASE,
    revision TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL DEFAULT 'queued',
    reason TEXT NOT NULL DEFAULT '',
    tries INTEGER NOT NULL DEFAULT 0,
    next_try REAL NOT NULL DEFAULT 0,
    model_a TEXT NOT NULL DEFAULT '',
    model_b TEXT NOT NULL DEFAULT '',
    stage TEXT NOT NULL DEFAULT '',
    stage_done INTEGER NOT NULL DEFAULT 0,
    stage_total INTEGER NOT NULL DEFAULT 0,
    dataset TEXT NOT NULL DEFAULT '',
    card TEXT NOT NULL DEFAULT '',
    begun REAL NOT NULL DEFAULT 0,
    changed REAL NOT NULL,
    UNIQUE (repository, revision)
);
CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs (state, next_try);
CREATE TABLE IF NOT EXISTS own_commits (
    repository TEXT NOT NULL COLLATE NOCASE,
    revision TEXT NOT NULL,
    PRIMARY KEY (repository, revision)
) WITHOUT ROWID;
"""
_COLUMNS = (
    "position, repository, revision, parent, state, reason, tries, next_try, model_a, model_b, "
    "stage, stage_done, stage_total, dataset, card, changed"
)


@dataclass(frozen=True, slots=True)
class Job:
    """One revision of one repository."""

    position: int
    """Order of arrival."""
    repository: str
    """`org/name`."""
    commit: str
    """The revision to be annotated."""
    parent: str | None
    """The head before it, where known."""
    state: State
    """Where it stands."""
    reason: str
    """Why it was ignored or failed, in one line; while queued again, why the last try failed."""
    tries: int
    """Tries begun, those included in which the process was killed."""
    next_try: float
    """Not before this time (seconds since 1970)."""
    model_a: str
    """What it is compared with, from the first try on; empty before."""
    model_b: str
    """The revision as a model, from the first try on; empty before."""
    stage: str
    """What the running diff is at."""
    stage_done: int
    """How far."""
    stage_total: int
    """Of how many; 0 where it is not known."""
    dataset: str
    """Address of the result dataset; empty where there is none."""
    card: str
    """Address of the pull request or commit; empty where there is none."""
    changed: float
    """When its state last changed (seconds since 1970)."""


class Queue:
    """Jobs in an SQLite file with a write-ahead log; threads and processes may share it.

    Raises:
        SettingError: The file or its folder cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        """The file; its folder is made where missing."""
        self._lock = threading.Lock()
        self._opened, self._since = time.time(), time.monotonic()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            self._database.execute("PRAGMA journal_mode=WAL")
            # the Hub is told "accepted" once: that must be true after a power cut too
            self._database.execute("PRAGMA synchronous=FULL")
            self._database.executescript(_TABLES)
        except (sqlite3.DatabaseError, OSError) as error:
            raise SettingError(
                f"The annotator's queue {path} cannot be used ({error}): expected a folder that can be written and a "
                "file of this service; where it is damaged, move it away, and what is watched is looked at again"
            ) from None

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._database.close()

    def add(self, push: Push, *, failed_before: float = 0.0) -> bool:
        """Queues a revision, unless it is known.

        Args:
            push: The revision.
            failed_before: Queue it afresh where it failed before this time (seconds since 1970).

        Returns:
            Whether it was queued.
        """
        return self._write(
            "INSERT INTO jobs (repository, revision, parent, changed) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (repository, revision) DO UPDATE "
            "SET state = 'queued', tries = 0, next_try = 0, changed = excluded.changed "
            "WHERE state = 'failed' AND changed < ?",
            (push.repository, push.commit, push.parent, self._now, failed_before),
        )

    def remember_own(self, repository: str, commit: str) -> None:
        """Notes a commit of our own, so that the webhook it fires is known."""
        self._write("INSERT OR IGNORE INTO own_commits VALUES (?, ?)", (repository, commit))

    def is_own(self, repository: str, commit: str) -> bool:
        """Whether the commit was noted as our own."""
        return bool(self._read("SELECT 1 FROM own_commits WHERE repository = ? AND revision = ?", (repository, commit)))

    def claim(self) -> Job | None:
        """Takes the first job that is due, and counts a try; None where none is due.

        A job that last changed in the future waits for a clock that has been put back since: it is due.
        """
        now = self._now
        rows = self._read(
            "UPDATE jobs SET state = 'running', tries = tries + 1, changed = ?, stage = '' WHERE position = ("
            "SELECT position FROM jobs WHERE state = 'queued' AND (next_try <= ? OR changed > ?) "
            f"ORDER BY position LIMIT 1) RETURNING {_COLUMNS}",
            (now, now, now + _CLOCK_SKEW),
        )
        return Job(*rows[0]) if rows else None

    def recover(self, most_tries: int) -> None:
        """Takes back the jobs of a process that was killed; only for who knows that it is no more.

        Args:
            most_tries: A job that took the process down so many times is given up.
        """
        self._write(
            "UPDATE jobs SET state = 'failed', reason = 'the service was stopped in the middle of every try', "
            "changed = ? WHERE state = 'running' AND tries >= ?",
            (self._now, most_tries),
        )
        self._write("UPDATE jobs SET state = 'queued', next_try = 0, changed = ? WHERE state = 'running'", (self._now,))

    def settle(self, job: Job, state: State, *, reason: str = "", dataset: str = "", card: str = "") -> None:
        """Ends a job, one way or the other."""
        self._write(
            "UPDATE jobs SET state = ?, reason = ?, dataset = ?, card = ?, changed = ? WHERE position = ?",
            (state, reason, dataset, card, self._now, job.position),
        )

    def retry(self, job: Job, reason: str, seconds: float) -> None:
        """Queues a job for another try, later."""
        self._write(
            "UPDATE jobs SET state = 'queued', reason = ?, next_try = ?, changed = ? WHERE position = ?",
            (reason, self._now + seconds, self._now, job.position),
        )

    def postpone(self, job: Job, reason: str, seconds: float) -> None:
        """Queues a job that has not begun for later; that it was looked at does not count as a try."""
        self.retry(job, reason, seconds)
        self._write("UPDATE jobs SET tries = tries - 1 WHERE position = ?", (job.position,))

    def decide(self, job: Job, model_a: str, model_b: str) -> None:
        """Keeps what is compared, so that every further try compares the same; the diff begins."""
        self._write(
            "UPDATE jobs SET model_a = ?, model_b = ?, begun = ? WHERE position = ?",
            (model_a, model_b, self._now, job.position),
        )

    def begun(self, seconds: float) -> int:
        """Diffs that were begun within so many seconds."""
        return int(self._read("SELECT COUNT(*) FROM jobs WHERE begun > ?", (self._now - seconds,))[0][0])

    def progress(self, job: Job, stage: str, done: int, total: int) -> None:
        """Tells how far the running diff is."""
        self._write(
            "UPDATE jobs SET stage = ?, stage_done = ?, stage_total = ? WHERE position = ?",
            (stage, done, total, job.position),
        )

    def superseded(self, job: Job) -> bool:
        """Whether a later revision of the repository has been annotated already."""
        return bool(
            self._read(
                "SELECT 1 FROM jobs WHERE repository = ? AND position > ? AND state = 'done' LIMIT 1",
                (job.repository, job.position),
            )
        )

    def state_of(self, repository: str, commit: str) -> State | None:
        """Where a revision stands; None where it is not known."""
        rows = self._read("SELECT state FROM jobs WHERE repository = ? AND revision = ?", (repository, commit))
        return cast(State, rows[0][0]) if rows else None

    def jobs(self, state: State, most: int = 50) -> tuple[Job, ...]:
        """The jobs in a state: those that wait in their order, the others by what changed last."""
        order = "position" if state in ("queued", "running") else "changed DESC, position DESC"
        rows = self._read(f"SELECT {_COLUMNS} FROM jobs WHERE state = ? ORDER BY {order} LIMIT ?", (state, most))
        return tuple(Job(*row) for row in rows)

    def counts(self) -> dict[State, int]:
        """Jobs per state."""
        found = dict(self._read("SELECT state, COUNT(*) FROM jobs GROUP BY state"))
        return {state: int(found.get(state, 0)) for state in STATES}

    @property
    def _now(self) -> float:
        """Seconds since 1970, by the clock as it was when the file was opened: one that jumps lifts no limit."""
        return self._opened + time.monotonic() - self._since

    def _read(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._database.execute(query, tuple(values)).fetchall()

    def _write(self, query: str, values: Sequence[object]) -> bool:
        """Every statement is its own transaction."""
        with self._lock:
            return self._database.execute(query, tuple(values)).rowcount > 0
