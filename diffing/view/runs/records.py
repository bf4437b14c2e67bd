"""The runs that were asked for, in one SQLite file, so that a restart forgets none. Holds no token.

A run's link is its secret: ids cannot be guessed, and of whoever asked only a digest is kept.
"""

import hashlib
import json
import math
import sqlite3
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from diffing.config import DiffConfig, Limits
from diffing.errors import SettingError
from diffing.view.runs.state import UNFINISHED, State, Told, told_of

_VERSION = 1
"""Of the tables."""
_TABLE = """
CREATE TABLE IF NOT EXISTS runs (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    config TEXT NOT NULL,
    limits TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'queued',
    reason TEXT NOT NULL DEFAULT '',
    tries INTEGER NOT NULL DEFAULT 0,
    changed REAL NOT NULL,
    told TEXT NOT NULL DEFAULT '{}'
)
"""
_REMOVED = "CREATE TABLE IF NOT EXISTS removed (id TEXT PRIMARY KEY) WITHOUT ROWID"
"""Digests of the ids of runs that are no longer there."""
_RAN = "CREATE TABLE IF NOT EXISTS ran (seconds REAL NOT NULL)"
"""For how long apps have run on this file: what is old is told by it, since a clock can jump by years."""
_SAVED_EVERY = 600.0
"""Seconds; of what is not saved a kill takes this much."""
SHARED = "address "
"""What an owner begins with that several people may be."""
_COLUMNS = "id, owner, config, limits, state, reason, tries, told"


@dataclass(frozen=True, slots=True)
class Record:
    """One run."""

    id: str
    """What its link says."""
    owner: str
    """A digest of who asked."""
    config: DiffConfig
    """What was asked for."""
    limits: Limits
    """Hard limits."""
    state: State
    """Where it stands."""
    reason: str
    """Why it failed or waits."""
    tries: int
    """Times it was begun since the visitor last asked for it."""
    told: Told = field(default_factory=Told)
    """How far it was when it ended."""


def digest(owner: str) -> str:
    """Who asked, as it is kept: an account's name is nobody's business. Whether several may be meant can be seen."""
    kind = SHARED if owner.startswith(SHARED) else ""
    return kind + hashlib.sha256(f"run owner\0{owner}".encode()).hexdigest()[:32]


class Records:
    """Runs in an SQLite file with a write-ahead log. Threads may share it; of processes, one writes."""

    def __init__(self, path: Path) -> None:
        """Opens the file, or makes it.

        Raises:
            SettingError: Another version made it.
        """
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode=WAL")
        # a file of before this was counted has the table and no version
        is_new = not self._database.execute("SELECT 1 FROM sqlite_master").fetchone()
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        if not is_new and version != _VERSION:
            self._database.close()
            raise SettingError(
                f"{path} was made by another version of diffing: expected version {_VERSION} of its tables, got "
                f"{version}. Give another folder, or remove it"
            )
        for statement in (_TABLE, _REMOVED, _RAN):
            self._database.execute(statement)
        self._ran = self._saved = self._ran_before()
        self._began = time.monotonic()
        self._database.execute(f"PRAGMA user_version = {_VERSION}")

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._save()
            self._database.close()

    def add(self, run_id: str, owner: str, config: DiffConfig, limits: Limits) -> None:
        """A new run, queued."""
        values = (run_id, owner, json.dumps(asdict(config)), json.dumps(asdict(limits)), self._now)
        self._execute("INSERT INTO runs (id, owner, config, limits, changed) VALUES (?, ?, ?, ?, ?)", values)

    def get(self, run_id: str) -> Record | None:
        """The run of that id; None where there is none."""
        rows = self._execute(f"SELECT {_COLUMNS} FROM runs WHERE id = ?", (run_id,))
        return _record(rows[0]) if rows else None

    def unfinished(self) -> tuple[Record, ...]:
        """Runs that wait in line or were running, in the order in which they were asked for."""
        marks = ", ".join("?" * len(UNFINISHED))
        rows = self._execute(f"SELECT {_COLUMNS} FROM runs WHERE state IN ({marks}) ORDER BY position", UNFINISHED)
        return tuple(_record(row) for row in rows)

    def move(self, run_id: str, state: State, reason: str = "", told: Told | None = None) -> None:
        """Sets where a run stands, and where it ended, how far it was."""
        self._execute(
            "UPDATE runs SET state = ?, reason = ?, changed = ?, told = ? WHERE id = ?",
            (state, reason, self._now, json.dumps(asdict(told)) if told else "{}", run_id),
        )

    def begin(self, run_id: str) -> None:
        """A run is running; counts the try before it can take the process down."""
        self._execute(
            "UPDATE runs SET state = 'running', reason = '', tries = tries + 1, changed = ? WHERE id = ?",
            (self._now, run_id),
        )

    def requeue(self, run_id: str) -> None:
        """A visitor asks for a run again."""
        self._execute(
            "UPDATE runs SET state = 'queued', reason = '', tries = 0, changed = ? WHERE id = ?", (self._now, run_id)
        )

    def remove(self, run_id: str) -> None:
        """Forgets a run, but for that it was there."""
        self._execute("INSERT OR IGNORE INTO removed (id) VALUES (?)", (digest(run_id),))
        self._execute("DELETE FROM runs WHERE id = ?", (run_id,))

    def removed(self, run_id: str) -> bool:
        """Whether there was a run of that id, and is none any more."""
        return bool(self._execute("SELECT 1 FROM removed WHERE id = ?", (digest(run_id),)))

    def old(self, *, days: float | None, runs: int | None) -> tuple[str, ...]:
        """Runs that need not be kept: over, or waiting for a visitor who does not come.

        Args:
            days: How long a run is kept, of those in which an app ran; None is for ever.
            runs: How many that are over are kept, the latest; None is all.
        """
        query = "SELECT id, changed FROM runs WHERE state IN ({}) ORDER BY changed DESC"
        over = self._execute(query.format("'done', 'stopped', 'failed'"), ())
        waiting = self._execute(query.format("'waiting'"), ())
        oldest = -math.inf if days is None else self._now - 86400 * days
        too_many = over[runs:] if runs is not None else []
        late = [row for row in (*over, *waiting) if row[1] < oldest]
        return tuple(dict.fromkeys(row[0] for row in (*too_many, *late)))

    def _execute(self, query: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        """Every statement is its own transaction."""
        with self._lock:
            if self._now - self._saved > _SAVED_EVERY:
                self._save()
            return self._database.execute(query, tuple(values)).fetchall()

    @property
    def _now(self) -> float:
        """Seconds for which apps have run on this file, from a time on that is some day's."""
        return self._ran + time.monotonic() - self._began

    def _save(self) -> None:
        self._saved = self._now
        self._database.execute("UPDATE ran SET seconds = ?", (self._saved,))

    def _ran_before(self) -> float:
        """What was saved, or in a file of before this was counted the latest time in it."""
        (saved,) = self._database.execute("SELECT max(seconds) FROM ran").fetchone()
        (latest,) = self._database.execute("SELECT max(changed) FROM runs").fetchone()
        if saved is None:
            self._database.execute("INSERT INTO ran VALUES (?)", (latest or 0.0,))
        return float(max(saved or 0.0, latest or 0.0))


def _record(row: tuple[Any, ...]) -> Record:
    run_id, owner, config, limits, state, reason, tries, told = row
    return Record(run_id, owner, read_config(config), read_limits(limits), state, reason, tries, told_of(told))


def read_config(text: str) -> DiffConfig:
    """A config from JSON, in which its tuples are lists; without settings that this version no longer has."""
    known = {setting.name for setting in fields(DiffConfig)}
    return DiffConfig(**{name: value for name, value in json.loads(text).items() if name in known})


def read_limits(text: str) -> Limits:
    """Limits from JSON."""
    return Limits(**json.loads(text))
