"""Opens and migrates the SQLite file of the completion cache, and salvages the intact entries of a damaged one.

A file of the earlier layout without checksums is migrated when it is opened. Its rows are taken over unchanged, since
they were paid for and damage among them could not be detected anyway; from then on they have checksums as well.
"""

import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from diffing.sqlite_files import connect_shared, use_write_ahead_log

# Rows are stored by number with a separate index of keys. A damaged page then hides only its own few rows, whereas in a
# tree ordered by key it would hide everything below the page.
_TABLE = """CREATE TABLE IF NOT EXISTS texts
    (number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, value TEXT NOT NULL, checksum TEXT NOT NULL DEFAULT '')"""
_MOST_HIDDEN = 10_000
"""After this many consecutive unreadable rows, the rest of a damaged file is given up."""
_HIGHEST = 2**63 - 1


def checksum(key: str, value: str) -> str:
    """The checksum of a row, over key and value, so that a text cannot pass as the answer to another question."""
    return hashlib.sha256(f"{key}\n{value}".encode(errors="surrogatepass")).hexdigest()


def connect(path: Path) -> sqlite3.Connection:
    """Opens the file, and creates or migrates it if needed.

    Args:
        path: The file; its folder must exist.

    Raises:
        sqlite3.DatabaseError: The file is not a database, is damaged, or cannot be opened.
    """
    database = _opened(str(path))
    try:
        use_write_ahead_log(database)
        database.execute("PRAGMA synchronous=NORMAL")
        if "checksum" not in _columns(database):
            _lay_out(database)
    except sqlite3.DatabaseError:
        database.close()
        raise
    return database


def whole_rows(damaged: Path) -> Iterator[tuple[str, str]]:
    """The intact keys and values of a damaged file, as far as SQLite can still find them.

    Args:
        damaged: The file, with its write-ahead log beside it if there is one.
    """
    try:
        database = _opened(str(damaged))
        database.execute("PRAGMA writable_schema=ON")  # also reads a file that is shorter than its header says
        if "checksum" not in _columns(database):
            return
    except sqlite3.DatabaseError:
        return
    query = "SELECT number, key, value, checksum FROM texts NOT INDEXED WHERE number > ? ORDER BY number"
    number = hidden = 0
    while hidden < _MOST_HIDDEN and number < _HIGHEST:
        try:
            for place, key, value, sealed in database.execute(query, (number,)):
                number, hidden = place, 0
                if is_whole(key, value, sealed):
                    yield key, value
            break
        except sqlite3.DatabaseError:  # there may be intact pages after the damaged one
            number, hidden = number + 1, hidden + 1
    database.close()


def is_whole(key: object, value: object, sealed: object) -> bool:
    """Whether a row is intact, that is, matches its checksum."""
    return isinstance(key, str) and isinstance(value, str) and sealed == checksum(key, value)


def _opened(path: str) -> sqlite3.Connection:
    database = connect_shared(path)  # every put is its own transaction, so a killed run loses nothing
    database.text_factory = _lenient_text
    return database


def _columns(database: sqlite3.Connection) -> set[str]:
    return {row[1] for row in database.execute("PRAGMA table_info(texts)")}


def _lay_out(database: sqlite3.Connection) -> None:
    """Creates or migrates the table in one transaction, so that a killed process leaves the older layout intact."""
    database.execute("BEGIN IMMEDIATE")
    try:
        columns = _columns(database)  # another process may have been first
        older = bool(columns) and "checksum" not in columns
        if older:
            database.execute("ALTER TABLE texts RENAME TO without_checksums")
        database.execute(_TABLE)
        if older:
            rows = database.execute("SELECT key, value FROM without_checksums")
            database.executemany(
                "INSERT INTO texts (key, value, checksum) VALUES (?, ?, ?)",
                ((key, value, checksum(key, value)) for key, value in rows if isinstance(value, str)),
            )
            database.execute("DROP TABLE without_checksums")
        database.execute("COMMIT")
    except sqlite3.DatabaseError:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


def _lenient_text(raw: bytes) -> str:
    """Decodes text leniently, so that a damaged row is one unreadable row and not an error for the whole query."""
    return raw.decode(errors="replace")
