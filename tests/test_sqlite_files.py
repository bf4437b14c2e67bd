"""SQLite files that several processes share."""

import sqlite3
import threading
from pathlib import Path

import pytest

from diffing import sqlite_files
from diffing.models.text_store import connect
from diffing.sqlite_files import connect_shared, use_write_ahead_log
from tests.waiting import DEADLINE


def written(path: Path) -> sqlite3.Connection:
    """A file in the midst of a transaction of somebody who does not know the write-ahead log yet."""
    other = connect_shared(str(path))
    other.execute("CREATE TABLE other (number)")
    other.execute("BEGIN IMMEDIATE")
    return other


def test_a_file_that_another_is_writing_for_the_first_time_is_waited_for(tmp_path, monkeypatch):
    """SQLite itself would say at once that the file is locked."""
    other = written(tmp_path / "new.sqlite")
    waits, goes_on = threading.Event(), threading.Event()

    def sleep(seconds: float) -> None:
        waits.set()
        assert goes_on.wait(timeout=DEADLINE)

    monkeypatch.setattr(sqlite_files.time, "sleep", sleep)
    opened = []
    opener = threading.Thread(target=lambda: opened.append(connect(tmp_path / "new.sqlite")))
    opener.start()
    assert waits.wait(timeout=DEADLINE)
    other.execute("COMMIT")
    goes_on.set()
    opener.join(timeout=DEADLINE)
    assert opened[0].execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_file_that_stays_locked_is_an_error_in_the_end(tmp_path, monkeypatch):
    other = written(tmp_path / "new.sqlite")
    monkeypatch.setattr(sqlite_files, "BUSY_SECONDS", 0.0)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        use_write_ahead_log(connect_shared(str(tmp_path / "new.sqlite")))
    other.close()


def test_what_is_no_database_is_an_error_at_once(tmp_path):
    (tmp_path / "text").write_text("no database at all, for sure" * 100)
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        use_write_ahead_log(connect_shared(str(tmp_path / "text")))
