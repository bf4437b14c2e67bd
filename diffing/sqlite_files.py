"""Opens SQLite files that several processes share."""

import sqlite3
import time

BUSY_SECONDS = 120.0
"""Seconds to wait for another process that is writing; on a busy machine it may have to wait for a processor itself."""
_PAUSE = 0.05


def connect_shared(path: str) -> sqlite3.Connection:
    """Opens a file for all threads of this process; every statement is a transaction of its own unless one is begun.

    Args:
        path: The file; its folder must exist.
    """
    return sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)


def use_write_ahead_log(database: sqlite3.Connection) -> None:
    """Switches a file to the write-ahead log, with which readers and a writer do not wait for each other.

    SQLite gives up at once if another process is writing just then, as when two open a new file at the same time. So
    this waits, as long as for any other statement.

    Raises:
        sqlite3.DatabaseError: The file is not a database, is damaged, or stays locked.
    """
    end = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            database.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(_PAUSE)
