"""The page's runs, as jobs: a restart of the app forgets none. Holds no token.

A run's link is its secret: ids cannot be guessed, and of whoever asked only a digest is kept.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

from diffing.config import DiffConfig, Limits
from diffing.jobs import Job, JobStore, RunningClock, State
from diffing.view.runs.run_state import Told, told_of

SHARED = "address "
"""What an owner begins with that several people may be."""
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
    """What was asked for."""
    limits: Limits
    """Hard limits."""


Record: TypeAlias = Job[RunTask, Told]
"""One run: its key is what its link says, its owner a digest of who asked."""


def digest(owner: str) -> str:
    """Who asked, as it is kept: an account's name is nobody's business. Whether several may be meant can be seen."""
    kind = SHARED if owner.startswith(SHARED) else ""
    return kind + hashlib.sha256(f"run owner\0{owner}".encode()).hexdigest()[:32]


class Records(JobStore[RunTask, Told]):
    """The runs of one app. Threads may share it; of processes, one writes."""

    EARLIER: ClassVar[Mapping[int, tuple[str, str]]] = {1: ("", _FROM_1)}

    def __init__(self, path: Path) -> None:
        super().__init__(path, RunningClock)

    def add(self, run_id: str, owner: str, config: DiffConfig, limits: Limits) -> None:
        """A new run, queued."""
        self.insert(run_id, owner, RunTask(config, limits))

    def remove(self, run_id: str) -> None:
        """Forgets a run, except that it was there."""
        self.note(digest(run_id))
        super().remove(run_id)

    def removed(self, run_id: str) -> bool:
        """Whether there was a run of that id, and is none any more."""
        return self.noted(digest(run_id))

    def old(self, *, days: float | None, runs: int | None) -> tuple[str, ...]:
        """Runs that need not be kept: over, or waiting for a visitor who does not come.

        Args:
            days: How long a run is kept, counting days on which an app ran; None is for ever.
            runs: How many that are over are kept, the latest; None is all.
        """
        over, waiting = self.jobs(*_OVER), self.jobs("waiting")
        oldest = -math.inf if days is None else self.now - _DAY * days
        too_many = over[runs:] if runs is not None else ()
        late = [run for run in (*over, *waiting) if run.changed < oldest]
        return tuple(dict.fromkeys(run.key for run in (*too_many, *late)))

    def read_task(self, values: Mapping[str, Any]) -> RunTask:  # noqa: D102
        return RunTask(_config_of(values["config"]), Limits(**values["limits"]))

    def read_told(self, values: Mapping[str, Any]) -> Told:  # noqa: D102
        return told_of(values)


def read_config(text: str) -> DiffConfig:
    """A config from JSON."""
    return _config_of(json.loads(text))


def _config_of(values: Mapping[str, Any]) -> DiffConfig:
    """A config from JSON, in which its tuples are lists; without settings that this version no longer has."""
    known = {setting.name for setting in fields(DiffConfig)}
    return DiffConfig(**{name: value for name, value in values.items() if name in known})
