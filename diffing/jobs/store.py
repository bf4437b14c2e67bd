"""Keeps a queue of jobs and their state in an SQLite file, so that no job is lost when a process is killed.

Claiming a queued job makes it running and counts a try. A job ends as done, ignored, stopped or failed, or is queued
again. Subclasses define the kind of job: the page stores runs, and the annotator stores revisions of models.
"""

import json
import sqlite3
import threading
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, TypeAlias, TypeVar

from diffing.errors import SettingError
from diffing.jobs.clock import Clock, WallClock
from diffing.sqlite_files import connect_shared, use_write_ahead_log

State: TypeAlias = Literal["lending", "queued", "running", "done", "ignored", "stopped", "failed", "waiting"]
"""`lending`: waits for a visitor to lend a GPU. `stopped`: its owner stopped it. `waiting`: its owner must sign in."""
Task = TypeVar("Task")
"""A dataclass that says what a job has to do."""
Told = TypeVar("Told")
"""A dataclass with the progress or the result of a job."""

_VERSION = 2
"""Version of the tables. Version 1 is that of the page before the annotator shared them."""
_CLOCK_SKEW = 5.0
"""Seconds by which the clock may be set back without effect."""
_TABLES = """
CREATE TABLE IF NOT EXISTS jobs (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    task TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'queued',
    reason TEXT NOT NULL DEFAULT '',
    tries INTEGER NOT NULL DEFAULT 0,
    next_try REAL NOT NULL DEFAULT 0,
    begun REAL NOT NULL DEFAULT 0,
    changed REAL NOT NULL,
    told TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs (state, next_try);
CREATE TABLE IF NOT EXISTS notes (key TEXT PRIMARY KEY) WITHOUT ROWID;
"""
_COLUMNS = "position, key, owner, task, state, reason, tries, next_try, changed, told"


@dataclass(frozen=True, slots=True)
class StoredJob(Generic[Task, Told]):
    """One job, as it stood when it was read."""

    position: int
    """Its place in the order in which jobs are claimed."""
    key: str
    """Its unique name."""
    owner: str
    """Its owner, by which jobs can be counted and compared."""
    task: Task
    """What it has to do."""
    state: State
    """Its state."""
    reason: str
    """Why it waits, was ignored or failed, in one line; if it is queued again, why the last try failed."""
    tries: int
    """Number of tries that were begun, including those in which the process was killed."""
    next_try: float
    """The earliest time of the next try, by the store's clock."""
    changed: float
    """When its state last changed, by the store's clock."""
    told: Told
    """Its progress or result."""


class JobStore(ABC, Generic[Task, Told]):
    """Jobs in an SQLite file with a write-ahead log; threads and processes may share it."""

    EARLIER: ClassVar[Mapping[int, tuple[str, str]]] = {}
    """SQL that upgrades a file of an earlier version: statements to run before and after the new tables are created."""

    def __init__(self, path: Path, clock: type[Clock] = WallClock) -> None:
        """Opens the file, or creates it.

        Args:
            path: The file; a missing folder is created.
            clock: The kind of clock that decides how long jobs wait and when they expire.

        Raises:
            SettingError: The file or its folder cannot be used, or another version made it.
        """
        self.path = path
        """The file."""
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = connect_shared(str(path))
            use_write_ahead_log(self._database)
            # a job that was reported as accepted must survive a power cut
            self._database.execute("PRAGMA synchronous=FULL")
            # one transaction, so that another process finds either no tables or all of them with their version
            before, after = self._earlier()
            script = f"BEGIN IMMEDIATE; {before} {_TABLES} {after} PRAGMA user_version = {_VERSION}; COMMIT;"
            self._database.executescript(script)
            self._clock = clock(self._database)
        except (sqlite3.DatabaseError, OSError) as error:
            raise SettingError(
                f"The job file {path} cannot be used ({error}): expected a writable folder and a file of this service. "
                "If the file is damaged, move it away"
            ) from None

    @abstractmethod
    def read_task(self, values: Mapping[str, Any]) -> Task:
        """Builds the task from its fields as read from JSON."""

    @abstractmethod
    def read_told(self, values: Mapping[str, Any]) -> Told:
        """Builds the progress or result from its fields as read from JSON; a new job has no fields."""

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._clock.save(self._database, closing=True)
            self._database.close()

    def insert(self, key: str, owner: str, task: Task, *, failed_before: float = 0.0) -> bool:
        """Queues a job unless its key is known.

        Args:
            key: Its unique name.
            owner: Its owner.
            task: What it has to do.
            failed_before: If it is known and failed before this time, it is queued again.

        Returns:
            Whether it was queued.
        """
        return self._write(
            "INSERT INTO jobs (key, owner, task, changed) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE "
            "SET state = 'queued', tries = 0, next_try = 0, changed = excluded.changed "
            "WHERE state = 'failed' AND changed < ?",
            (key, owner, _json(task), self.now, failed_before),
        )

    def get(self, key: str) -> StoredJob[Task, Told] | None:
        """Returns the job with this key; None if there is none."""
        return next(iter(self._jobs("WHERE key = ?", (key,))), None)

    def jobs(self, *states: State, most: int = -1) -> tuple[StoredJob[Task, Told], ...]:
        """Returns the jobs in some states: unfinished jobs in their order, finished jobs with the latest change first.

        Args:
            states: Either only states of unfinished jobs or only states of finished ones.
            most: Maximum number of jobs; -1 for all.
        """
        going_on = set(states) & {"lending", "queued", "running"}
        order = "position" if going_on else "changed DESC, position DESC"
        marks = ", ".join("?" * len(states))
        return self._jobs(f"WHERE state IN ({marks}) ORDER BY {order} LIMIT ?", (*states, most))

    def claim(self) -> StoredJob[Task, Told] | None:
        """Claims the first job that is due; returns None if there is none.

        The try is counted here, so that it counts even if the job kills the process. A job whose last change lies in
        the future is due too, because then the clock has been set back.
        """
        now = self.now
        rows = self._rows(
            "UPDATE jobs SET state = 'running', tries = tries + 1, changed = ?, told = '{}' WHERE position = ("
            "SELECT position FROM jobs WHERE state = 'queued' AND (next_try <= ? OR changed > ?) "
            f"ORDER BY position LIMIT 1) RETURNING {_COLUMNS}",
            (now, now, now + _CLOCK_SKEW),
        )
        return self._job(rows[0]) if rows else None

    def recover(self, most_tries: int, reason: str) -> None:
        """Queues the running jobs of a killed process again; the caller must know that the process is gone.

        Args:
            most_tries: A job with this many tries is given up, since it may be what kills the process.
            reason: The reason to store for a job that is given up.
        """
        self._write(
            "UPDATE jobs SET state = 'failed', reason = ?, changed = ? WHERE state = 'running' AND tries >= ?",
            (reason, self.now, most_tries),
        )
        self._write("UPDATE jobs SET state = 'queued', next_try = 0, changed = ? WHERE state = 'running'", (self.now,))

    def move(self, key: str, state: State, reason: str = "", told: Told | None = None) -> None:
        """Sets a job's state, reason and progress or result."""
        self._write(
            "UPDATE jobs SET state = ?, reason = ?, told = ?, changed = ? WHERE key = ?",
            (state, reason, _json(told) if told else "{}", self.now, key),
        )

    def requeue(self, key: str) -> None:
        """Queues a job behind all others and resets its tries."""
        self._write(
            "UPDATE jobs SET state = 'queued', reason = '', tries = 0, next_try = 0, changed = ?, "
            "position = (SELECT max(position) + 1 FROM jobs) WHERE key = ?",
            (self.now, key),
        )

    def retry(self, key: str, reason: str, seconds: float, *, counts: bool = True) -> None:
        """Queues a job for a later try.

        Args:
            key: The job's name.
            reason: Why the last try failed, or why the job waits.
            seconds: Seconds until the next try.
            counts: Whether the last try counts.
        """
        self._write(
            "UPDATE jobs SET state = 'queued', reason = ?, next_try = ?, tries = tries - ?, changed = ? WHERE key = ?",
            (reason, self.now + seconds, int(not counts), self.now, key),
        )

    def begin(self, key: str, task: Task) -> None:
        """Records that the work on a job begins, and fixes its task, so that every further try does the same."""
        self._write("UPDATE jobs SET task = ?, begun = ? WHERE key = ?", (_json(task), self.now, key))

    def begun(self, seconds: float) -> int:
        """Counts the jobs whose work last began within this many seconds."""
        return int(self._rows("SELECT count(*) FROM jobs WHERE begun > ?", (self.now - seconds,))[0][0])

    def tell(self, key: str, told: Told) -> None:
        """Sets a job's progress or result."""
        self._write("UPDATE jobs SET told = ? WHERE key = ?", (_json(told), key))

    def place(self, key: str) -> int:
        """Returns the position of a queued job in the queue; 1 is next."""
        query = (
            "SELECT count(*) FROM jobs WHERE state = 'queued' AND position <= (SELECT position FROM jobs WHERE key = ?)"
        )
        return int(self._rows(query, (key,))[0][0])

    def counts(self) -> Counter[State]:
        """Counts the jobs in each state."""
        return Counter(dict(self._rows("SELECT state, count(*) FROM jobs GROUP BY state")))

    def remove(self, key: str) -> None:
        """Deletes a job."""
        self._write("DELETE FROM jobs WHERE key = ?", (key,))

    def note(self, key: str) -> None:
        """Stores a note permanently."""
        self._write("INSERT OR IGNORE INTO notes VALUES (?)", (key,))

    def noted(self, key: str) -> bool:
        """Whether a note with this key was stored."""
        return bool(self._rows("SELECT 1 FROM notes WHERE key = ?", (key,)))

    @property
    def now(self) -> float:
        """The store's time, in seconds."""
        return self._clock.now

    def _earlier(self) -> tuple[str, str]:
        """Returns the SQL that upgrades a file of an earlier version, for before and after the tables are created."""
        is_new = not self._database.execute("SELECT 1 FROM sqlite_master").fetchone()
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        if is_new or version == _VERSION:
            return "", ""
        if version not in self.EARLIER:
            self._database.close()
            raise SettingError(
                f"{self.path} was made by another version of diffing: expected version {_VERSION} of its tables, got "
                f"{version}. Give another folder, or remove it"
            )
        return self.EARLIER[version]

    def _jobs(self, where: str, values: Sequence[object]) -> tuple[StoredJob[Task, Told], ...]:
        return tuple(map(self._job, self._rows(f"SELECT {_COLUMNS} FROM jobs {where}", values)))

    def _job(self, row: Sequence[Any]) -> StoredJob[Task, Told]:
        position, key, owner, task, state, reason, tries, next_try, changed, told = row
        known = self.read_told(json.loads(told))
        return StoredJob(
            position, key, owner, self.read_task(json.loads(task)), state, reason, tries, next_try, changed, known
        )

    def _rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Runs a query as its own transaction and returns the rows."""
        with self._lock:
            self._clock.save(self._database)
            return self._database.execute(query, values).fetchall()

    def _write(self, query: str, values: Sequence[object]) -> bool:
        """Runs a statement as its own transaction and returns whether it changed anything."""
        with self._lock:
            self._clock.save(self._database)
            return self._database.execute(query, values).rowcount > 0


def _json(value: Any) -> str:  # noqa: ANN401  a dataclass
    return json.dumps(asdict(value))
