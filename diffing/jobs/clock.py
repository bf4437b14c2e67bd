"""Clocks that decide how long jobs wait and when they expire, unaffected by jumps of the system clock."""

import sqlite3
import time
from abc import ABC, abstractmethod

_SAVED_EVERY = 600.0
"""Seconds between two times at which the running time is saved; a killed process loses at most this much of it."""


class Clock(ABC):
    """The clock of one store."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._start = self.read(database)
        self._since = time.monotonic()

    @abstractmethod
    def read(self, database: sqlite3.Connection) -> float:
        """Returns the time at which the store is opened, in seconds."""

    @property
    def now(self) -> float:
        """The present time in seconds; it advances evenly while the store is open."""
        return self._start + time.monotonic() - self._since

    def save(self, database: sqlite3.Connection, *, closing: bool = False) -> None:  # noqa: B027  most save nothing
        """Saves the time if the clock needs that; called with every statement, and before the file is closed."""


class WallClock(Clock):
    """Counts seconds since 1970, based on the system clock at the moment when the store was opened."""

    def read(self, database: sqlite3.Connection) -> float:  # noqa: D102
        return time.time()


class RunningClock(Clock):
    """Counts the seconds during which a process has the store open, so that jobs do not age while the app is off."""

    def read(self, database: sqlite3.Connection) -> float:
        """Returns the saved time, or a job's latest time if that is later, since the last minutes may be unsaved."""
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
