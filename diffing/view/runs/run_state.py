"""What a page is told of a run, and how the time that remains is told from what was done in the last seconds."""

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from diffing.jobs import State

_MARKS = 50
"""Notes of progress from which the speed is told: with five a second, of the last ten seconds."""


@dataclass(frozen=True, slots=True)
class Stage:
    """How far one stage of a run is."""

    name: str
    """As in the report's usage."""
    done: int
    """So many."""
    total: int
    """Of so many; 0 where it cannot be known."""
    seconds_left: float | None
    """At the speed of the last seconds; None where nothing can be said, 0 where it is over."""


@dataclass(frozen=True, slots=True)
class Early:
    """A hypothesis as soon as it is found: it fits the train prompts it was found on, and is not yet tested."""

    method: str
    """What found it."""
    text: str
    """Starts with `<MODEL>`, which stands for the model of `direction`."""
    direction: str
    """`a` or `b`: of which model it is predicted."""
    category: str
    """One of the categories of hypotheses."""
    pairs: int | None = None
    """Train pairs on which it was measured; None where a judge has yet to be asked."""
    fits: int | None = None
    """Of these: the predicted model shows it more."""
    against: int | None = None
    """Of these: the other model shows it more."""


@dataclass(frozen=True, slots=True)
class RunState:
    """Where a run stands."""

    state: State
    """Where."""
    place: int | None = None
    """Queued: 1 is next."""
    ahead_running: int = 0
    """Queued: runs that are running now."""
    attended: bool = False
    """Lending: a page has the models answer right now; otherwise one must begin."""
    stages: tuple[Stage, ...] = ()
    """Lending, running, or over without a result: the stages that were begun, in their order."""
    found: tuple[Early, ...] = ()
    """Running, or over without a result: what was found so far, not yet tested."""
    reason: str = ""
    """Failed, waiting, lending without a page: why and what to do, in one line."""
    report: Path | None = None
    """Done: the folder of the report."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a run had told of itself when it ended without a result."""

    stages: tuple[Stage, ...] = ()
    """Stages that were begun."""
    found: tuple[Early, ...] = ()
    """What was found."""


@dataclass(slots=True)
class _Seen:
    done: int
    total: int
    marks: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=_MARKS))


class Watch:
    """Keeps what a run says of itself. One thread tells, others look: they see the whole of what was told, or less."""

    def __init__(self) -> None:
        self._stages: dict[str, _Seen] = {}
        self._found: tuple[Early, ...] = ()

    def tell(self, stage: str, done: int, total: int) -> None:
        """A stage went on."""
        seen = self._stages.get(stage)
        if seen is None:
            # a new mapping: others may be looking through the old one
            seen = _Seen(done, total)
            self._stages = {**self._stages, stage: seen}
        seen.done, seen.total = done, total
        seen.marks.append((time.monotonic(), done))

    def add(self, found: tuple[Early, ...]) -> None:
        """Something was found."""
        self._found = (*self._found, *found)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """All stages that were begun."""
        return tuple(Stage(name, seen.done, seen.total, _left(seen)) for name, seen in self._stages.items())

    @property
    def found(self) -> tuple[Early, ...]:
        """All that was found so far."""
        return self._found

    @property
    def told(self) -> Told:
        """All of it, without a time that remains."""
        return Told(tuple(replace(stage, seconds_left=None) for stage in self.stages), self.found)


def _left(seen: _Seen) -> float | None:
    """Answers from the cache come at once and tell no speed: they count only while they come."""
    if seen.total and seen.done >= seen.total:
        return 0.0
    marks = tuple(seen.marks)
    (began, first), (now, last) = marks[0], marks[-1]
    if not seen.total or last <= first or now <= began:
        return None
    return (seen.total - last) * (now - began) / (last - first)


def early_of(value: Mapping[str, object]) -> Early:
    """From the message of a run's process."""
    return Early(**value)  # type: ignore[arg-type]


def told_of(values: Mapping[str, Any]) -> Told:
    """From JSON."""
    return Told(
        tuple(Stage(**each) for each in values.get("stages", ())), tuple(map(early_of, values.get("found", ())))
    )
