"""The SQLite file of texts by key: its layout, its checksums, and what is left of one that is damaged. Knows no model.

A file of the layout before checksums is brought to this one when it is opened. Its rows are taken as they are: they
were paid for, and nothing could tell damaged ones among them. From then on they are as safe as all others.
"""

import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

_BUSY_SECONDS = 30.0
"""How long to wait for another process that is writing."""
# Rows by number and keys in an index beside them: a damaged page then hides its own few rows only, where a tree by key
# would hide all that lies beneath the page.
_TABLE = """CREATE TABLE IF NOT EXISTS texts
    (number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, value TEXT NOT NULL, checksum TEXT NOT NULL DEFAULT '')"""
_MOST_HIDDEN = 10_000
"""Numbers in a row that cannot be read, after which the rest of a damaged file is given up."""
_HIGHEST = 2**63 - 1


def checksum(key: str, value: str) -> str:
    """Of a row: over both, so that a text cannot pass as the answer to another question."""
    return hashlib.sha256(f"{key}\n{value}".encode(errors="surrogatepass")).hexdigest()


def connect(path: Path) -> sqlite3.Connection:
    """Opens the file; makes it, or brings it to this layout, where needed.

    Args:
        path: The file; its folder must exist.

    Raises:
        sqlite3.DatabaseError: It is none, is damaged, or cannot be opened.
    """
    database = _opened(str(path))
    try:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        if "checksum" not in _columns(database):
            _lay_out(database)
    except sqlite3.DatabaseError:
        database.close()
        raise
    return database


def whole_rows(damaged: Path) -> Iterator[tuple[str, str]]:
    """The keys and values of a damaged file that are what was stored, as far as SQLite still finds them.

    Args:
        damaged: The file, with its write-ahead log beside it where there is one.
    """
    try:
        database = _opened(str(damaged))
        database.execute("PRAGMA writable_schema=ON")  # reads a file too that is shorter than it says
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
        except sqlite3.DatabaseError:  # behind the damaged page there may be whole ones
            number, hidden = number + 1, hidden + 1
    database.close()


def is_whole(key: object, value: object, sealed: object) -> bool:
    """Whether a row holds what was stored in it."""
    return isinstance(key, str) and isinstance(value, str) and sealed == checksum(key, value)


def _opened(path: str) -> sqlite3.Connection:
    # isolation_level=None: every put is its own transaction, so a killed run loses nothing
    database = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    database.text_factory = _lenient_text
    return database


def _columns(database: sqlite3.Connection) -> set[str]:
    return {row[1] for row in database.execute("PRAGMA table_info(texts)")}


def _lay_out(database: sqlite3.Connection) -> None:
    """In one transaction, so that a killed process leaves the older layout and another one waits."""
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
    """A damaged row must be an unreadable row, not an error for all rows of a query."""
    return raw.decode(errors="replace")
