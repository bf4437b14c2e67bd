"""The time by which jobs wait and age. A system's clock may jump, by hours or by years; that moves no job."""

import sqlite3
import time
from abc import ABC, abstractmethod

_SAVED_EVERY = 600.0
"""Seconds between two savings of the running time: a process that is killed loses at most this much of it."""


class Clock(ABC):
    """Tells the time of one store."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._start = self.read(database)
        self._since = time.monotonic()

    @abstractmethod
    def read(self, database: sqlite3.Connection) -> float:
        """The time at which the store is opened, in seconds."""

    @property
    def now(self) -> float:
        """Seconds; grows evenly while the store is open."""
        return self._start + time.monotonic() - self._since

    def save(self, database: sqlite3.Connection, *, closing: bool = False) -> None:  # noqa: B027  most save nothing
        """Called with every statement, and with `closing` before the file is closed."""


class WallClock(Clock):
    """Seconds since 1970, by the system's clock as it was when the store was opened."""

    def read(self, database: sqlite3.Connection) -> float:  # noqa: D102
        return time.time()


class RunningClock(Clock):
    """Seconds for which processes have had the store open: what is old has had its time, even if the system slept."""

    def read(self, database: sqlite3.Connection) -> float:
        """The saved time, or the latest time of a job if that is later: the last minutes may not have been saved."""
        database.execute("CREATE TABLE IF NOT EXISTS ran (seconds REAL NOT NULL)")
        (saved,) = database.execute("SELECT max(seconds) FROM ran").fetchone()
        (latest,) = database.execute("SELECT max(changed) FROM jobs").fetchone()
        if saved is None:
            database.execute("INSERT INTO ran VALUES (?)", (latest or 0.0,))
        self._saved = float(max(saved or 0.0, latest or 0.0))
        return self._saved

    def save(self, database: sqlite3.Connection, *, closing: bool = False) -> None:  # noqa: D102
        if closing or self.now - self._saved > _SAVED_EVERY:
            self._saved = self.now
            database.execute("UPDATE ran SET seconds = ?", (self._saved,))
