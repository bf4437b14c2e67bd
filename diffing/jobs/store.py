"""Jobs in one SQLite file: none is lost when a process is killed. Does not know what a job does.

A queued job is claimed, which makes it running and counts a try; it ends as done, ignored, stopped or failed, or is
queued again. The page's runs and the annotator's revisions are two kinds of jobs: `Records` and `Queue`.
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

State: TypeAlias = Literal["lending", "queued", "running", "done", "ignored", "stopped", "failed", "waiting"]
"""`lending`: somebody must first lend a GPU. `stopped`: by its owner. `waiting`: until its owner signs in again."""
Task = TypeVar("Task")
"""A dataclass: what is to be done."""
Told = TypeVar("Told")
"""A dataclass: what is known of a job, such as its progress or its result."""

_VERSION = 2
"""Version of the tables; the page's file had version 1 before the annotator shared them."""
_BUSY_SECONDS = 10.0
"""Seconds to wait for another process that is writing."""
_CLOCK_SKEW = 5.0
"""Seconds that a clock may be put back unnoticed."""
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
class Job(Generic[Task, Told]):
    """One job, as it stood when it was read."""

    position: int
    """Its place in the order in which jobs are claimed."""
    key: str
    """Its name."""
    owner: str
    """Whose it is: jobs of one owner can be counted and compared."""
    task: Task
    """What is to be done."""
    state: State
    """Where it stands."""
    reason: str
    """Why it waits, was ignored or failed, in one line; while it is queued again, why the last try failed."""
    tries: int
    """Tries that were begun, including those in which the process was killed."""
    next_try: float
    """The earliest time of the next try, by the store's clock."""
    changed: float
    """When its state last changed, by the store's clock."""
    told: Told
    """What is known of it."""


class JobStore(ABC, Generic[Task, Told]):
    """Jobs in an SQLite file with a write-ahead log; threads and processes may share it."""

    EARLIER: ClassVar[Mapping[int, tuple[str, str]]] = {}
    """By the version of a file: SQL that is to be done before and after the tables of this version are made."""

    def __init__(self, path: Path, clock: type[Clock] = WallClock) -> None:
        """Opens the file, or makes it.

        Args:
            path: The file; its folder is made if it is missing.
            clock: By which jobs wait and age.

        Raises:
            SettingError: The file or its folder cannot be used, or another version made it.
        """
        self.path = path
        """The file."""
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            self._database.execute("PRAGMA journal_mode=WAL")
            # who hands in a job is told "accepted" once: that must be true after a power cut too
            self._database.execute("PRAGMA synchronous=FULL")
            # at one go: another process that opens the file finds no tables, or all of them and their version
            before, after = self._earlier()
            script = f"BEGIN IMMEDIATE; {before} {_TABLES} {after} PRAGMA user_version = {_VERSION}; COMMIT;"
            self._database.executescript(script)
            self._clock = clock(self._database)
        except (sqlite3.DatabaseError, OSError) as error:
            raise SettingError(
                f"The file of jobs {path} cannot be used ({error}): expected a folder that can be written and a file "
                "of this service; if it is damaged, move it away"
            ) from None

    @abstractmethod
    def read_task(self, values: Mapping[str, Any]) -> Task:
        """The task whose fields were written as JSON."""

    @abstractmethod
    def read_told(self, values: Mapping[str, Any]) -> Told:
        """What was told, whose fields were written as JSON; without any, as of a job of which nothing was told."""

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._clock.save(self._database, closing=True)
            self._database.close()

    def insert(self, key: str, owner: str, task: Task, *, failed_before: float = 0.0) -> bool:
        """Queues a job unless its key is known.

        Args:
            key: Its name.
            owner: Whose it is.
            task: What is to be done.
            failed_before: Queue it again if it failed before this time.

        Returns:
            Whether it was queued.
        """
        return self._write(
            "INSERT INTO jobs (key, owner, task, changed) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE "
            "SET state = 'queued', tries = 0, next_try = 0, changed = excluded.changed "
            "WHERE state = 'failed' AND changed < ?",
            (key, owner, _json(task), self.now, failed_before),
        )

    def get(self, key: str) -> Job[Task, Told] | None:
        """The job of a name; None if there is none."""
        return next(iter(self._jobs("WHERE key = ?", (key,))), None)

    def jobs(self, *states: State, most: int = -1) -> tuple[Job[Task, Told], ...]:
        """The jobs in some states: those that are not over in their order, others with the latest change first.

        Args:
            states: All of them not over, or all of them over.
            most: The number of jobs, at most; -1 is all.
        """
        going_on = set(states) & {"lending", "queued", "running"}
        order = "position" if going_on else "changed DESC, position DESC"
        marks = ", ".join("?" * len(states))
        return self._jobs(f"WHERE state IN ({marks}) ORDER BY {order} LIMIT ?", (*states, most))

    def claim(self) -> Job[Task, Told] | None:
        """Takes the first job that is due, and counts a try before that can take the process down; None if none is due.

        A job that last changed in the future waits for a clock that has been put back since: it is due.
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
        """Takes back the jobs of a process that was killed; only for a caller who knows that it is gone.

        Args:
            most_tries: A job in whose tries the process was killed this often is given up: it may be the cause.
            reason: Why it is given up.
        """
        self._write(
            "UPDATE jobs SET state = 'failed', reason = ?, changed = ? WHERE state = 'running' AND tries >= ?",
            (reason, self.now, most_tries),
        )
        self._write("UPDATE jobs SET state = 'queued', next_try = 0, changed = ? WHERE state = 'running'", (self.now,))

    def move(self, key: str, state: State, reason: str = "", told: Told | None = None) -> None:
        """Sets where a job stands, and what is known of it."""
        self._write(
            "UPDATE jobs SET state = ?, reason = ?, told = ?, changed = ? WHERE key = ?",
            (state, reason, _json(told) if told else "{}", self.now, key),
        )

    def requeue(self, key: str) -> None:
        """Queues a job behind all others, with all its tries before it."""
        self._write(
            "UPDATE jobs SET state = 'queued', reason = '', tries = 0, next_try = 0, changed = ?, "
            "position = (SELECT max(position) + 1 FROM jobs) WHERE key = ?",
            (self.now, key),
        )

    def retry(self, key: str, reason: str, seconds: float, *, counts: bool = True) -> None:
        """Queues a job for another try, later.

        Args:
            key: Its name.
            reason: Why the last try failed, or why the job waits.
            seconds: Until the next try.
            counts: Whether the last one counts as a try.
        """
        self._write(
            "UPDATE jobs SET state = 'queued', reason = ?, next_try = ?, tries = tries - ?, changed = ? WHERE key = ?",
            (reason, self.now + seconds, int(not counts), self.now, key),
        )

    def begin(self, key: str, task: Task) -> None:
        """Notes that the work on a job begins, and settles its task, so that every further try does the same."""
        self._write("UPDATE jobs SET task = ?, begun = ? WHERE key = ?", (_json(task), self.now, key))

    def begun(self, seconds: float) -> int:
        """The number of jobs whose work was last begun within this many seconds."""
        return int(self._rows("SELECT count(*) FROM jobs WHERE begun > ?", (self.now - seconds,))[0][0])

    def tell(self, key: str, told: Told) -> None:
        """Sets what is known of a job."""
        self._write("UPDATE jobs SET told = ? WHERE key = ?", (_json(told), key))

    def place(self, key: str) -> int:
        """The place of a queued job in the line; 1 is next."""
        query = (
            "SELECT count(*) FROM jobs WHERE state = 'queued' AND position <= (SELECT position FROM jobs WHERE key = ?)"
        )
        return int(self._rows(query, (key,))[0][0])

    def counts(self) -> Counter[State]:
        """The number of jobs in each state."""
        return Counter(dict(self._rows("SELECT state, count(*) FROM jobs GROUP BY state")))

    def remove(self, key: str) -> None:
        """Forgets a job."""
        self._write("DELETE FROM jobs WHERE key = ?", (key,))

    def note(self, key: str) -> None:
        """Keeps a note, for ever."""
        self._write("INSERT OR IGNORE INTO notes VALUES (?)", (key,))

    def noted(self, key: str) -> bool:
        """Whether this was noted."""
        return bool(self._rows("SELECT 1 FROM notes WHERE key = ?", (key,)))

    @property
    def now(self) -> float:
        """The store's time, in seconds."""
        return self._clock.now

    def _earlier(self) -> tuple[str, str]:
        """What is to be done before and after the tables are made; nothing unless an earlier version made the file."""
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

    def _jobs(self, where: str, values: Sequence[object]) -> tuple[Job[Task, Told], ...]:
        return tuple(map(self._job, self._rows(f"SELECT {_COLUMNS} FROM jobs {where}", values)))

    def _job(self, row: Sequence[Any]) -> Job[Task, Told]:
        position, key, owner, task, state, reason, tries, next_try, changed, told = row
        known = self.read_told(json.loads(told))
        return Job(
            position, key, owner, self.read_task(json.loads(task)), state, reason, tries, next_try, changed, known
        )

    def _rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Every statement is its own transaction."""
        with self._lock:
            self._clock.save(self._database)
            return self._database.execute(query, values).fetchall()

    def _write(self, query: str, values: Sequence[object]) -> bool:
        """Whether anything was changed."""
        with self._lock:
            self._clock.save(self._database)
            return self._database.execute(query, values).rowcount > 0


def _json(value: Any) -> str:  # noqa: ANN401  a dataclass
    return json.dumps(asdict(value))
