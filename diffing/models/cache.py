"""Completions kept in one SQLite file, so that a rerun asks no model twice. Knows no backend.

The key of a completion holds all that decides it: the model's id, the messages, the sampling with its sample number
and schema. Failed completions are not kept. The file is a help, never a condition: where it is corrupt, full or not
writable, a warning says so and the run goes on.
"""

import hashlib
import json
import logging
import os
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from diffing.models.base import Model, OnCompletion, OnTokens, Sampling
from diffing.types import Completion, Conversation

_log = logging.getLogger(__name__)

_CHUNK = 900
"""Keys per query: SQLite builds allow at least 999 parameters."""
_BUSY_SECONDS = 30.0
"""How long to wait for another process that is writing."""
_LAYOUT = 1
"""Part of every key; raised when a completion's JSON changes its meaning."""


def default_store() -> "Store":
    """The user's store: `completions.sqlite` in `$DIFFING_CACHE`, else in `diffing` under the user's cache folder."""
    folder = os.environ.get("DIFFING_CACHE")
    if not folder:
        folder = str(Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "diffing")
    return Store(Path(folder) / "completions.sqlite")


class Store:
    """Texts by key in an SQLite file (write-ahead log, so several processes can share it). Threads may share it too.

    A file that is not a database, or a damaged one, is moved aside to `<name>.corrupt` and a fresh one begun. Where the
    file cannot be opened or written (no rights, disk full), one warning says so, and from then on nothing is stored.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        """The file; its folder is made where missing."""
        self._lock = threading.Lock()
        self._writable = True
        self._database: sqlite3.Connection | None = None
        with self._lock:
            self._open()

    def get_many(self, keys: Sequence[str]) -> dict[str, str]:
        """The values of those keys that are stored."""
        found: dict[str, str] = {}
        with self._lock:
            for start in range(0, len(keys), _CHUNK):
                if self._database is None:
                    break
                chunk = list(keys[start : start + _CHUNK])
                marks = ",".join("?" * len(chunk))
                try:
                    rows = self._database.execute(f"SELECT key, value FROM texts WHERE key IN ({marks})", chunk)
                    found.update((key, value) for key, value in rows if isinstance(value, str))
                except sqlite3.DatabaseError as error:
                    self._survive(error)
        return found

    def put(self, key: str, value: str) -> None:
        """Stores a value at once; an older value of the key is replaced."""
        with self._lock:
            for _ in range(2):  # the second time for a fresh file, where the first was found corrupt
                if self._database is None or not self._writable:
                    return
                try:
                    self._database.execute("INSERT OR REPLACE INTO texts (key, value) VALUES (?, ?)", (key, value))
                    return
                except sqlite3.DatabaseError as error:
                    self._survive(error)

    def close(self) -> None:
        """Closes the file; a closed store keeps and finds nothing."""
        with self._lock:
            if self._database is not None:
                self._database.close()
                self._database = None

    def _open(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._database = _connect(self.path)
        except sqlite3.DatabaseError as error:
            self._survive(error)
        except OSError as error:
            self._give_up(error)

    def _survive(self, error: sqlite3.DatabaseError) -> None:
        """Moves a corrupt file aside and begins afresh; at any other error, stops storing."""
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            self._give_up(error)
            return
        if self._database is not None:
            self._database.close()
            self._database = None
        aside = self.path.with_name(f"{self.path.name}.corrupt")
        try:
            os.replace(self.path, aside)
            for end in ("-wal", "-shm"):  # they belong to the old file and would spoil the fresh one
                self.path.with_name(self.path.name + end).unlink(missing_ok=True)
            self._database = _connect(self.path)
        except (OSError, sqlite3.DatabaseError) as second:
            self._give_up(second)
            return
        _log.warning("The cache %s is corrupt (%s). It was moved to %s and a fresh one begun.", self.path, error, aside)

    def _give_up(self, error: Exception) -> None:
        if self._writable:
            _log.warning(
                "The cache %s cannot be written (%s): nothing is stored from here on. "
                "Make room, or set DIFFING_CACHE to another folder.",
                self.path,
                error,
            )
        self._writable = False


def _connect(path: Path) -> sqlite3.Connection:
    # isolation_level=None: every put is its own transaction, so a killed run loses nothing
    database = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    database.text_factory = _lenient_text
    try:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        database.execute("CREATE TABLE IF NOT EXISTS texts (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
    except sqlite3.DatabaseError:
        database.close()
        raise
    return database


def _lenient_text(raw: bytes) -> str:
    """A damaged row must be an unreadable row, not an error for all rows of a query."""
    return raw.decode(errors="replace")


class CachedModel:
    """A model that answers from a store, and asks the model within only for what is missing there.

    Conversations that are the same within one call are asked once: one model with one sampling gives one answer.
    """

    def __init__(self, model: Model, store: Store) -> None:
        self.model = model
        """The model within."""
        self.store = store
        """Where completions are kept."""

    @property
    def id(self) -> str:
        """The id of the model within."""
        return self.model.id

    @property
    def remote(self) -> bool:
        """Whether the model within is remote."""
        return self.model.remote

    def generate(
        self,
        conversations: Sequence[Conversation],
        sampling: Sampling,
        *,
        on_completion: OnCompletion | None = None,
        on_tokens: OnTokens | None = None,
    ) -> list[Completion]:
        """Answers what is stored, asks for the rest, and stores each completion as soon as it exists."""
        places: dict[str, list[int]] = {}
        for index, key in enumerate(_keys(self.id, conversations, sampling)):
            places.setdefault(key, []).append(index)
        completions = _read(self.store.get_many(list(places)), self.store.path)

        def tell(key: str) -> None:
            if on_completion:
                for index in places[key]:
                    on_completion(index, completions[key])

        for key in list(completions):
            tell(key)
        missing = [key for key in places if key not in completions]

        def keep(position: int, completion: Completion) -> None:
            key = missing[position]
            if completion.finish != "error":
                self.store.put(key, json.dumps(asdict(completion)))
            completions[key] = completion
            tell(key)

        if missing:
            asked = [conversations[places[key][0]] for key in missing]
            made = self.model.generate(asked, sampling, on_completion=keep, on_tokens=on_tokens)
            completions.update(zip(missing, made, strict=True))
        by_index = {index: completions[key] for key, indices in places.items() for index in indices}
        return [by_index[index] for index in range(len(conversations))]


def _keys(model_id: str, conversations: Sequence[Conversation], sampling: Sampling) -> list[str]:
    """One key per conversation: sha256 of the canonical JSON of all that decides the completion."""
    settings = asdict(sampling)
    return [
        hashlib.sha256(
            json.dumps(
                [_LAYOUT, model_id, [[message.role, message.content] for message in conversation], settings],
                sort_keys=True,
                separators=(",", ":"),
            ).encode()
        ).hexdigest()
        for conversation in conversations
    ]


def _read(stored: dict[str, str], path: Path) -> dict[str, Completion]:
    """The completions of stored rows; rows that cannot be read are reported, and asked again."""
    completions: dict[str, Completion] = {}
    for key, value in stored.items():
        completion = _completion(value)
        if completion is not None:
            completions[key] = completion
    if len(completions) < len(stored):
        _log.warning(
            "The cache %s holds %d answers that cannot be read; they are asked again.",
            path,
            len(stored) - len(completions),
        )
    return completions


def _completion(value: str) -> Completion | None:
    try:
        completion = Completion(**json.loads(value))
    except (ValueError, TypeError):
        return None
    if not isinstance(completion.text, str) or completion.finish not in ("stop", "length", "refused", "rejected"):
        return None
    return completion
