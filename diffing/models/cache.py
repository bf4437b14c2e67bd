"""A cache of completions in one SQLite file, so that a rerun does not ask a model the same thing twice.

The key of a completion covers everything that decides it: the model's id, the messages, and the sampling parameters
with the sample number and schema. Failed completions are not stored. A run does not depend on the cache: if the file is
corrupt, full or not writable, a warning says so and the run continues. Each row has a checksum, because a bit flipped
on disk would otherwise pass for an answer that no model gave.
"""

import hashlib
import json
import logging
import os
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from diffing.errors import SettingError
from diffing.mapped_sequence import MappedSequence
from diffing.models.base import Model, ModelWrapper, OnCompletion, OnTokens, Sampling
from diffing.models.text_store import checksum, connect, is_whole, whole_rows
from diffing.models.thinking import split_thinking
from diffing.paths import path_of
from diffing.types import Completion, Conversation

_log = logging.getLogger(__name__)

_CHUNK = 900
"""Number of keys per query; every SQLite build allows at least 999 parameters."""
_LAYOUT = 1
"""Version of the stored JSON, part of every key; increased when the JSON changes its meaning."""
_CORRUPT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
"""SQLite's error codes for a damaged file. SQLITE_ERROR means that a query does not fit the tables, which happens if a
name in the file's schema is damaged."""
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
_PUT = "INSERT OR REPLACE INTO texts (key, value, checksum) VALUES (?, ?, ?)"


def default_store() -> "Store":
    """The user's cache: `completions.sqlite` in `$DIFFING_CACHE`, else in `diffing` under the user's cache folder.

    Raises:
        SettingError: The variable cannot be the name of a folder, or no home folder is known.
    """
    if given := os.environ.get("DIFFING_CACHE"):
        return Store.in_folder(path_of(given))
    try:
        caches = path_of(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    except SettingError as error:
        raise SettingError(f"There is no folder to keep answers in: {error}. Set DIFFING_CACHE to a folder") from None
    return Store.in_folder(caches / "diffing")


class Store:
    """A key-value store of texts in an SQLite file, which several processes and threads can share.

    A row that fails its checksum is reported and counts as not stored. A damaged file is renamed to `<name>.corrupt`,
    and its intact rows are copied to a new file. If the file cannot be opened or written (no rights, disk full), one
    warning says so, and nothing is stored from then on.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        """The file; its folder is created if missing."""
        self._lock = threading.Lock()
        self._writable = True
        self._database: sqlite3.Connection | None = None
        self._inode = 0
        with self._lock:
            self._open()

    @staticmethod
    def in_folder(folder: Path) -> "Store":
        """The store of completions in a cache folder: its file `completions.sqlite`."""
        return Store(folder / "completions.sqlite")

    @property
    def trainings(self) -> Path:
        """The folder beside it in which trainings and trained dictionaries are kept."""
        return self.path.parent / "inside"

    def get_many(self, keys: Sequence[str]) -> dict[str, str]:
        """The stored values by key; keys without a stored value are left out."""
        values: dict[str, str] = {}
        damaged = 0
        with self._lock:
            for start in range(0, len(keys), _CHUNK):
                for key, value, sealed in self._rows(keys[start : start + _CHUNK]):
                    if is_whole(key, value, sealed):
                        values[key] = value
                    else:
                        damaged += 1
        if damaged:
            _warn_of_damage(self.path, damaged)
        return values

    def put(self, key: str, value: str) -> None:
        """Stores a value at once; an older value of the key is replaced."""
        with self._lock:
            for _ in range(2):  # the second time with a new file, if the first one turned out to be corrupt
                if self._database is None or not self._writable:
                    return
                try:
                    self._database.execute(_PUT, (key, value, checksum(key, value)))
                    return
                except sqlite3.DatabaseError as error:
                    self._survive(error)

    def close(self) -> None:
        """Closes the file; a closed store neither stores nor returns anything."""
        with self._lock:
            self._close()

    def _rows(self, keys: Sequence[str]) -> list[tuple[str, str, str]]:
        query = f"SELECT key, value, checksum FROM texts WHERE key IN ({','.join('?' * len(keys))})"
        for _ in range(2):  # the second time with a new file, if the first one turned out to be corrupt
            if self._database is None:
                break
            try:
                return self._database.execute(query, list(keys)).fetchall()
            except sqlite3.DatabaseError as error:
                self._survive(error)
        return []

    def _open(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._connect()
        except sqlite3.DatabaseError as error:
            self._survive(error)
        except OSError as error:
            self._give_up(error)

    def _connect(self) -> sqlite3.Connection:
        self._database = connect(self.path)
        self._inode = self.path.stat().st_ino
        return self._database

    def _close(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None

    def _survive(self, error: sqlite3.DatabaseError) -> None:
        """Replaces a corrupt file by a new one with its intact rows; after any other error, stops storing."""
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _CORRUPT:
            self._give_up(error)
            return
        opened = self._database is not None
        self._close()
        aside = self.path.with_name(f"{self.path.name}.corrupt")
        try:
            if opened and self.path.stat().st_ino != self._inode:  # another process was first
                self._connect()
                return
            _move(self.path, aside)
            kept = _fill(self._connect(), aside)
        except (OSError, sqlite3.DatabaseError) as second:
            self._give_up(second)
            return
        _log.warning(
            "The cache %s is corrupt (%s). It was moved to %s and replaced by a new one with its %d intact answers; "
            "the others are asked for again.",
            self.path,
            error,
            aside,
            kept,
        )

    def _give_up(self, error: Exception) -> None:
        if self._writable:
            _log.warning(
                "The cache %s cannot be written (%s): nothing is stored from now on. "
                "Free disk space, or set DIFFING_CACHE to another folder.",
                self.path,
                error,
            )
        self._writable = False


def _move(path: Path, aside: Path) -> None:
    """Moves a database with its write-ahead log, which may hold the last rows; the shared-memory file is deleted."""
    for end in ("-wal", "-shm"):
        aside.with_name(aside.name + end).unlink(missing_ok=True)
    os.replace(path, aside)
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    if (log := path.with_name(f"{path.name}-wal")).exists():
        os.replace(log, aside.with_name(f"{aside.name}-wal"))


def _fill(database: sqlite3.Connection, damaged: Path) -> int:
    """Copies the intact rows of a damaged file into a new one and returns their number."""
    database.execute("BEGIN IMMEDIATE")
    kept = 0
    for key, value in whole_rows(damaged):
        database.execute(_PUT, (key, value, checksum(key, value)))
        kept += 1
    database.execute("COMMIT")
    return kept


def _warn_of_damage(path: Path, count: int) -> None:
    _log.warning("The cache %s holds %d answers that cannot be read; they are asked for again.", path, count)


class CachedModel(ModelWrapper):
    """A model that answers from the cache, and asks the wrapped model only for what is missing.

    Identical conversations within one call are asked once, since one model with one sampling gives one answer.
    """

    def __init__(self, model: Model, store: Store) -> None:
        super().__init__(model)
        self.store = store
        """The cache of completions."""

    def generate(
        self,
        conversations: Sequence[Conversation],
        sampling: Sampling,
        *,
        on_completion: OnCompletion | None = None,
        on_tokens: OnTokens | None = None,
    ) -> list[Completion]:
        """Returns stored completions, asks the wrapped model for the rest, and stores each new one at once."""
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
            unanswered = MappedSequence(lambda key: conversations[places[key][0]], missing)
            new = self.model.generate(unanswered, sampling, on_completion=keep, on_tokens=on_tokens)
            completions.update(zip(missing, new, strict=True))
        by_index = {index: completions[key] for key, indices in places.items() for index in indices}
        return [by_index[index] for index in range(len(conversations))]


def _keys(model_id: str, conversations: Sequence[Conversation], sampling: Sampling) -> list[str]:
    """One key per conversation: the SHA-256 of the canonical JSON of everything that decides the completion."""
    settings = asdict(sampling)
    return [
        hashlib.sha256(
            _CANONICAL(
                [_LAYOUT, model_id, [[message.role, message.content] for message in conversation], settings]
            ).encode()
        ).hexdigest()
        for conversation in conversations
    ]


def _read(stored: Mapping[str, str], path: Path) -> dict[str, Completion]:
    """Parses stored rows into completions; invalid rows are reported and left out, so that they are asked for again."""
    read = {key: _completion(value) for key, value in stored.items()}
    completions = {key: completion for key, completion in read.items() if completion is not None}
    if len(completions) < len(stored):
        _warn_of_damage(path, len(stored) - len(completions))
    return {key: completion for key, completion in completions.items() if not _doubtful(stored[key], completion)}


def _doubtful(value: str, completion: Completion) -> bool:
    """Whether a stored completion may differ from the model's real answer.

    Earlier versions took the `null` of a faulty server for an empty answer, and recognised fewer notations of thinking.
    Their rows have no field `served`.
    """
    older = '"served": ' not in value  # inside a JSON string the quotation marks would be escaped
    return older and (not completion.text or split_thinking(completion.text)[1] is not None)


def _completion(value: str) -> Completion | None:
    try:
        completion = Completion(**json.loads(value))
    except (ValueError, TypeError, RecursionError):
        return None
    if not isinstance(completion.text, str) or completion.finish not in ("stop", "length", "refused", "rejected"):
        return None
    return completion
