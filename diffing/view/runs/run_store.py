"""Stores the page's runs as jobs in SQLite, so that none is lost when the app restarts. It stores no token.

A run's link is its secret: ids cannot be guessed, and only a digest of the owner's name is stored.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

from diffing.config import DiffConfig, Limits
from diffing.errors import SettingError
from diffing.jobs import JobStore, RunningClock, State, StoredJob
from diffing.run_settings import as_stored
from diffing.view.runs.run_state import ProgressSnapshot, read_snapshot

SHARED = "address "
"""Prefix of owners that may stand for several people."""
_OVER: tuple[State, ...] = ("done", "stopped", "failed")
_DAY = 86400.0
_FROM_1 = """
INSERT INTO jobs (position, key, owner, task, state, reason, tries, changed, told)
SELECT position, id, owner, json_object('config', json(config), 'limits', json(limits)), state, reason, tries, changed,
    told
FROM runs;
INSERT INTO notes SELECT id FROM removed;
DROP TABLE runs;
DROP TABLE removed;
"""


@dataclass(frozen=True, slots=True)
class RunTask:
    """What a run is to do."""

    config: DiffConfig
    """The settings of the comparison."""
    limits: Limits
    """Hard limits."""


RunRecord: TypeAlias = StoredJob[RunTask, ProgressSnapshot]
"""One stored run. Its key is the id in its link, and its owner is a digest."""


def make_folder(folder: Path) -> None:
    """Creates the folder of all that is stored, readable for this account only, if it is missing.

    Raises:
        SettingError: It cannot be created.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingError(
            f"Runs cannot be stored in {folder} ({error.strerror}): expected a writable folder. Give "
            "another one with --folder, or with DIFFING_SITE"
        ) from None


def digest(owner: str) -> str:
    """The digest of an owner, because account names stay private.

    It still shows whether several people share the owner.
    """
    kind = SHARED if owner.startswith(SHARED) else ""
    return kind + hashlib.sha256(f"run owner\0{owner}".encode()).hexdigest()[:32]


class RunStore(JobStore[RunTask, ProgressSnapshot]):
    """The runs of one app. Threads may share it, but only one process may write."""

    EARLIER: ClassVar[Mapping[int, tuple[str, str]]] = {1: ("", _FROM_1)}

    def __init__(self, path: Path) -> None:
        super().__init__(path, RunningClock)

    def add(self, run_id: str, owner: str, config: DiffConfig, limits: Limits) -> None:
        """Stores a new run as queued."""
        self.insert(run_id, owner, RunTask(config, limits))

    def remove(self, run_id: str) -> None:
        """Deletes a run, and remembers only that it existed."""
        self.note(digest(run_id))
        super().remove(run_id)

    def removed(self, run_id: str) -> bool:
        """Whether a run of this id existed and was removed."""
        return self.noted(digest(run_id))

    def old(self, *, days: float | None, runs: int | None) -> tuple[str, ...]:
        """The runs to remove: those that are over, or wait for a visitor who has not come.

        Args:
            days: How many days a run is kept, counting only days on which an app ran; None means forever.
            runs: How many finished runs are kept, the latest first; None means all.
        """
        over, waiting = self.jobs(*_OVER), self.jobs("waiting")
        oldest = -math.inf if days is None else self.now - _DAY * days
        too_many = over[runs:] if runs is not None else ()
        late = [run for run in (*over, *waiting) if run.changed < oldest]
        return tuple(dict.fromkeys(run.key for run in (*too_many, *late)))

    def read_task(self, values: Mapping[str, Any]) -> RunTask:  # noqa: D102
        return RunTask(_config_of(values["config"]), Limits(**values["limits"]))

    def read_told(self, values: Mapping[str, Any]) -> ProgressSnapshot:  # noqa: D102
        return read_snapshot(values)


def read_config(text: str) -> DiffConfig:
    """Reads a config from JSON."""
    return _config_of(json.loads(text))


def _config_of(values: Mapping[str, Any]) -> DiffConfig:
    """Builds a config from JSON values; settings that this version no longer has are ignored."""
    known = {setting.name for setting in fields(DiffConfig)}
    return DiffConfig(**{name: value for name, value in as_stored(values).items() if name in known})
