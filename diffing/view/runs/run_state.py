"""The state of a run as the page shows it: stages, early hypotheses, and an estimate of the remaining time."""

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from diffing.jobs import State
from diffing.view.runs.latest_responses import LivePair

_MEASURED = 0.05
"""Share of what is to do that must be measured before a remaining time is estimated."""
_CACHED_SECONDS = 1.0
"""Seconds at the beginning of a stage in which a large step means responses from the cache."""
_MARKS = 50
"""Number of progress messages from which the speed is estimated. At five messages a second, they cover ten seconds."""


@dataclass(frozen=True, slots=True)
class StageProgress:
    """The progress of one stage of a run."""

    name: str
    """The stage's name, as in the report's usage."""
    done: int
    """Number of items done."""
    total: int
    """Number of items in all; 0 if it is not known."""
    seconds_left: float | None
    """The remaining time at the faster of two measured speeds, that of the last seconds and that of the whole stage;
    None if too little is measured, 0 if the stage is over."""
    seconds_at_most: float | None = None
    """The remaining time at the slower of the two."""


@dataclass(frozen=True, slots=True)
class EarlyHypothesis:
    """A hypothesis that was just found on the train prompts and is not yet tested on held-out prompts."""

    method: str
    """The method that found it."""
    text: str
    """The hypothesis, starting with `<MODEL>`, which stands for the model of `direction`."""
    direction: str
    """The side (`a` or `b`) of the model whose behaviour it describes."""
    category: str
    """The hypothesis's category."""
    pairs: int | None = None
    """Number of train pairs on which it was measured; None if a judge has yet to decide them."""
    fits: int | None = None
    """Number of these pairs on which the model of `direction` shows the behaviour more."""
    against: int | None = None
    """Number of these pairs on which the other model shows it more."""


@dataclass(frozen=True, slots=True)
class RunState:
    """The state of a run."""

    state: State
    """The kind of state; it decides which other fields are set."""
    place: int | None = None
    """If queued: the place in line, 1 being next."""
    ahead_running: int = 0
    """If queued: the number of runs that are running now."""
    attended: bool = False
    """If lending: whether an open page lends its visitor's GPU right now."""
    stages: tuple[StageProgress, ...] = ()
    """If lending, running, or ended without a result: the stages that were begun, in order."""
    found: tuple[EarlyHypothesis, ...] = ()
    """If running, or ended without a result: the hypotheses found so far."""
    latest: tuple[LivePair, ...] = ()
    """If running: the latest responses."""
    by_setting: bool = False
    """If failed: whether other settings would help, because the run would fail with these again."""
    reason: str = ""
    """If failed, waiting, or lending without an open page: why, and what to do, in one line."""
    report: Path | None = None
    """If done: the folder of the report."""


@dataclass(frozen=True, slots=True)
class ProgressSnapshot:
    """The progress of a run when it ended without a result."""

    stages: tuple[StageProgress, ...] = ()
    """The stages that were begun."""
    found: tuple[EarlyHypothesis, ...] = ()
    """The hypotheses that were found."""
    by_setting: bool = False
    """Whether the run failed because of a setting."""

    def ended(self, state: State, reason: str, report: Path) -> RunState:
        """The state of a run that is not active any more.

        Args:
            state: How it ended.
            reason: Why, in one line.
            report: The folder of its report, which exists if it is done.
        """
        return RunState(
            state,
            reason=reason,
            report=report if state == "done" else None,
            stages=self.stages,
            found=self.found,
            by_setting=self.by_setting,
        )


@dataclass(slots=True)
class _StageRecord:
    done: int
    total: int
    start: tuple[float, int]
    began: float
    marks: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=_MARKS))


class ProgressTracker:
    """Collects the progress messages of a run.

    One thread updates it while others read. Readers see a consistent state, which may be slightly out of date.
    """

    def __init__(self) -> None:
        self._stages: dict[str, _StageRecord] = {}
        self._found: tuple[EarlyHypothesis, ...] = ()
        self._latest: tuple[LivePair, ...] = ()

    def update(self, stage: str, done: int, total: int) -> None:
        """Records the progress of a stage."""
        seen, mark = self._stages.get(stage), (time.monotonic(), done)
        if seen is None:
            # a new mapping, because other threads may be iterating over the old one
            seen = _StageRecord(done, total, mark, began=mark[0])
            self._stages = {**self._stages, stage: seen}
        if mark[0] - seen.began < _CACHED_SECONDS and done - seen.done > _MEASURED * total:
            seen.start = mark  # responses from the cache, which say nothing about the speed
        seen.done, seen.total = done, total
        seen.marks.append(mark)

    def add(self, found: tuple[EarlyHypothesis, ...]) -> None:
        """Records early hypotheses."""
        self._found = (*self._found, *found)

    def show(self, latest: tuple[LivePair, ...]) -> None:
        """Records the latest responses."""
        self._latest = latest

    @property
    def latest(self) -> tuple[LivePair, ...]:
        """The latest responses."""
        return self._latest

    @property
    def stages(self) -> tuple[StageProgress, ...]:
        """All stages that were begun."""
        return tuple(StageProgress(name, seen.done, seen.total, *_left(seen)) for name, seen in self._stages.items())

    @property
    def found(self) -> tuple[EarlyHypothesis, ...]:
        """All hypotheses found so far."""
        return self._found

    @property
    def snapshot(self) -> ProgressSnapshot:
        """The progress to be stored, without estimates of the remaining time."""
        return ProgressSnapshot(
            tuple(replace(stage, seconds_left=None, seconds_at_most=None) for stage in self.stages), self.found
        )


def _left(seen: _StageRecord) -> tuple[float | None, float | None]:
    """Estimates the remaining time of a stage at two speeds: that of the last seconds, and that of the whole stage.

    Both are None until a twentieth of what was to do is measured. Responses from the cache all come at once and say
    nothing about the speed, so they count only while they arrive.
    """
    if seen.total and seen.done >= seen.total:
        return 0.0, 0.0
    marks, started = tuple(seen.marks), seen.start
    measured = seen.done - started[1]
    if not seen.total or measured <= 0 or measured < _MEASURED * (seen.total - started[1]):
        return None, None
    times = sorted(time for begin in (started, max(started, marks[0])) if (time := _at_speed(begin, marks[-1], seen)))
    return (times[0], times[-1]) if times else (None, None)


def _at_speed(begin: tuple[float, int], end: tuple[float, int], seen: _StageRecord) -> float | None:
    """The remaining time at the speed between two marks; None if nothing was done between them."""
    done, seconds = end[1] - begin[1], end[0] - begin[0]
    return (seen.total - end[1]) * seconds / done if done > 0 and seconds > 0 else None


def read_early_hypothesis(value: Mapping[str, object]) -> EarlyHypothesis:
    """Reads a hypothesis from a message of a run's process."""
    return EarlyHypothesis(**value)  # type: ignore[arg-type]


def read_snapshot(values: Mapping[str, Any]) -> ProgressSnapshot:
    """Reads a snapshot from JSON."""
    return ProgressSnapshot(
        tuple(StageProgress(**each) for each in values.get("stages", ())),
        tuple(map(read_early_hypothesis, values.get("found", ()))),
        by_setting=values.get("by_setting") is True,
    )
