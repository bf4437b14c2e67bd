"""Completions kept in one SQLite file, so that a rerun asks no model twice. Knows no backend.

The key of a completion holds all that decides it: the model's id, the messages, the sampling with its sample number
and schema. Failed completions are not kept. The file is a help, never a condition: where it is corrupt, full or not
writable, a warning says so and the run goes on. Each row carries a checksum: a bit that flipped on a disk would
otherwise be an answer that no model gave.
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
from diffing.models.base import Model, OnCompletion, OnTokens, Sampling
from diffing.models.text_store import checksum, connect, is_whole, whole_rows
from diffing.models.thinking import split_thinking
from diffing.paths import path_of
from diffing.types import Completion, Conversation

_log = logging.getLogger(__name__)

_CHUNK = 900
"""Keys per query: SQLite builds allow at least 999 parameters."""
_LAYOUT = 1
"""Part of every key; raised when a completion's JSON changes its meaning."""
_CORRUPT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
"""The last one is SQLite's word for a query that does not fit the tables: a damaged name in the file's own list."""
_PUT = "INSERT OR REPLACE INTO texts (key, value, checksum) VALUES (?, ?, ?)"


def default_store() -> "Store":
    """The user's store: `completions.sqlite` in `$DIFFING_CACHE`, else in `diffing` under the user's cache folder.

    Raises:
        SettingError: The variable holds what no folder can be named, or no home folder is known.
    """
    if given := os.environ.get("DIFFING_CACHE"):
        return Store(path_of(given) / "completions.sqlite")
    try:
        caches = path_of(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    except SettingError as error:
        raise SettingError(f"There is no folder to keep answers in: {error}. Set DIFFING_CACHE to a folder") from None
    return Store(caches / "diffing" / "completions.sqlite")


class Store:
    """Texts by key in an SQLite file (write-ahead log, so several processes can share it). Threads may share it too.

    A row whose text is not the one that was stored is reported and counts as not stored. A file that is not a database,
    or a damaged one, is moved aside to `<name>.corrupt`, and a fresh one begun with those of its rows that are whole.
    Where the file cannot be opened or written (no rights, disk full), one warning says so, and from then on nothing is
    stored.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        """The file; its folder is made where missing."""
        self._lock = threading.Lock()
        self._writable = True
        self._database: sqlite3.Connection | None = None
        self._inode = 0
        with self._lock:
            self._open()

    def get_many(self, keys: Sequence[str]) -> dict[str, str]:
        """The values of those keys that are stored."""
        found: dict[str, str] = {}
        damaged = 0
        with self._lock:
            for start in range(0, len(keys), _CHUNK):
                for key, value, sealed in self._rows(keys[start : start + _CHUNK]):
                    if is_whole(key, value, sealed):
                        found[key] = value
                    else:
                        damaged += 1
        if damaged:
            _tell_damaged(self.path, damaged)
        return found

    def put(self, key: str, value: str) -> None:
        """Stores a value at once; an older value of the key is replaced."""
        with self._lock:
            for _ in range(2):  # the second time for a fresh file, where the first was found corrupt
                if self._database is None or not self._writable:
                    return
                try:
                    self._database.execute(_PUT, (key, value, checksum(key, value)))
                    return
                except sqlite3.DatabaseError as error:
                    self._survive(error)

    def close(self) -> None:
        """Closes the file; a closed store keeps and finds nothing."""
        with self._lock:
            self._close()

    def _rows(self, keys: Sequence[str]) -> list[tuple[str, str, str]]:
        query = f"SELECT key, value, checksum FROM texts WHERE key IN ({','.join('?' * len(keys))})"
        for _ in range(2):  # the second time in a fresh file, where the first was found corrupt
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
        """Begins afresh with what is whole in a corrupt file; at any other error, stops storing."""
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
            "The cache %s is corrupt (%s). It was moved to %s and a fresh one begun with the %d answers in it that are "
            "whole; the others are asked again.",
            self.path,
            error,
            aside,
            kept,
        )

    def _give_up(self, error: Exception) -> None:
        if self._writable:
            _log.warning(
                "The cache %s cannot be written (%s): nothing is stored from here on. "
                "Make room, or set DIFFING_CACHE to another folder.",
                self.path,
                error,
            )
        self._writable = False


def _move(path: Path, aside: Path) -> None:
    """With its log, in which the last rows may be; what the log shares between processes belongs to neither file."""
    for end in ("-wal", "-shm"):
        aside.with_name(aside.name + end).unlink(missing_ok=True)
    os.replace(path, aside)
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    if (log := path.with_name(f"{path.name}-wal")).exists():
        os.replace(log, aside.with_name(f"{aside.name}-wal"))


def _fill(database: sqlite3.Connection, damaged: Path) -> int:
    """Puts what is whole in a damaged file into a fresh one; how many that are."""
    database.execute("BEGIN IMMEDIATE")
    kept = 0
    for key, value in whole_rows(damaged):
        database.execute(_PUT, (key, value, checksum(key, value)))
        kept += 1
    database.execute("COMMIT")
    return kept


def _tell_damaged(path: Path, count: int) -> None:
    _log.warning("The cache %s holds %d answers that cannot be read; they are asked again.", path, count)


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


def _read(stored: Mapping[str, str], path: Path) -> dict[str, Completion]:
    """The completions of stored rows; rows that are no completions are reported, and asked again."""
    read = {key: _completion(value) for key, value in stored.items()}
    completions = {key: completion for key, completion in read.items() if completion is not None}
    if len(completions) < len(stored):
        _tell_damaged(path, len(stored) - len(completions))
    return {key: completion for key, completion in completions.items() if not _doubtful(stored[key], completion)}


def _doubtful(value: str, completion: Completion) -> bool:
    """Whether it may be another answer than the model's.

    Earlier versions took the `null` of a faulty server for an empty answer, and knew fewer notations of thinking. What
    they stored has no field `served`.
    """
    older = '"served": ' not in value  # within a text the quotation marks would be escaped
    return older and (not completion.text or split_thinking(completion.text)[1] is not None)


def _completion(value: str) -> Completion | None:
    try:
        completion = Completion(**json.loads(value))
    except (ValueError, TypeError, RecursionError):
        return None
    if not isinstance(completion.text, str) or completion.finish not in ("stop", "length", "refused", "rejected"):
        return None
    return completion
