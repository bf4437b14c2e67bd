"""The runs that were asked for, in one SQLite file, so that a restart forgets none. Holds no token.

A run's link is its secret: ids cannot be guessed, and of whoever asked only a digest is kept.
"""

import hashlib
import json
import sqlite3
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from diffing.config import DiffConfig, Limits
from diffing.view.runs.state import UNFINISHED, State

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
    changed REAL NOT NULL
)
"""
_COLUMNS = "id, owner, config, limits, state, reason, tries"


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


def digest(owner: str) -> str:
    """Who asked, as it is kept: an account's name or a session's id is nobody's business."""
    return hashlib.sha256(f"run owner\0{owner}".encode()).hexdigest()[:32]


class Records:
    """Runs in an SQLite file with a write-ahead log. Threads may share it; of processes, one writes."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute(_TABLE)

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._database.close()

    def add(self, run_id: str, owner: str, config: DiffConfig, limits: Limits) -> None:
        """A new run, queued."""
        values = (run_id, owner, json.dumps(asdict(config)), json.dumps(asdict(limits)), time.time())
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

    def move(self, run_id: str, state: State, reason: str = "") -> None:
        """Sets where a run stands."""
        self._execute(
            "UPDATE runs SET state = ?, reason = ?, changed = ? WHERE id = ?", (state, reason, time.time(), run_id)
        )

    def begin(self, run_id: str) -> None:
        """A run is running; counts the try before it can take the process down."""
        self._execute(
            "UPDATE runs SET state = 'running', reason = '', tries = tries + 1, changed = ? WHERE id = ?",
            (time.time(), run_id),
        )

    def requeue(self, run_id: str) -> None:
        """A visitor asks for a run again."""
        self._execute(
            "UPDATE runs SET state = 'queued', reason = '', tries = 0, changed = ? WHERE id = ?", (time.time(), run_id)
        )

    def remove(self, run_id: str) -> None:
        """Forgets a run."""
        self._execute("DELETE FROM runs WHERE id = ?", (run_id,))

    def _execute(self, query: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        """Every statement is its own transaction."""
        with self._lock:
            return self._database.execute(query, tuple(values)).fetchall()


def _record(row: tuple[Any, ...]) -> Record:
    run_id, owner, config, limits, state, reason, tries = row
    return Record(run_id, owner, read_config(config), read_limits(limits), state, reason, tries)


def read_config(text: str) -> DiffConfig:
    """A config from JSON, in which its tuples are lists."""
    values: dict[str, Any] = json.loads(text)
    tuples = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
    return DiffConfig(**(values | tuples))


def read_limits(text: str) -> Limits:
    """Limits from JSON."""
    return Limits(**json.loads(text))
