"""The steps of a run in plain words, and how far it is in them: what a page lists.

Which steps come follows from the settings alone. How long they will take does not: what cannot be said is not said.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Literal, TypeAlias

from diffing.config import DiffConfig
from diffing.methods.base import plans_of
from diffing.stages import (
    ACCESS,
    CHECK_JUDGE,
    GPU,
    JUDGE,
    MERGE,
    POOL,
    PREPARE,
    RATE_ABSTRACTION,
    RATE_INTERESTINGNESS,
    RESPONSES,
    SECOND_JUDGE,
    TOKENS,
    WEIGHTS,
    WRITE_PROMPTS,
    Step,
)
from diffing.types import SIDES, Side
from diffing.view.runs import Stage

Status: TypeAlias = Literal["done", "now", "later"]


@dataclass(frozen=True, slots=True)
class Shown:
    """A step of one run."""

    step: Step
    """Which."""
    status: Status
    """Where it stands."""
    done: int = 0
    """So many."""
    total: int = 0
    """Of so many; 0 where it is not known."""
    tokens: int = 0
    """Written so far; 0 where nobody counts them."""
    seconds_left: float | None = None
    """Of this step; None where nothing can be said."""

    @property
    def percent(self) -> int | None:
        """How much of it is done, rounded down; None where it is not known of how much."""
        return 100 * self.done // self.total if self.total and self.step.unit else None


_READY = Step(
    "Getting ready",
    "Models and prompts are looked up, checked and loaded.",
    (ACCESS, PREPARE, *WEIGHTS.values(), *GPU.values()),
    short=True,
)
_WRITTEN = Step("Writing prompts", "The LLM writes prompts that could show what is suspected.", (WRITE_PROMPTS,))
_ANSWERS: dict[Side, str] = {
    "a": "Every prompt is answered once; what was answered before is not asked again.",
    "b": "The same prompts, answered once.",
}
_JUDGE = Step(
    "Judging",
    "The judge says which of two responses fits a hypothesis better, without knowing whose they are.",
    (JUDGE,),
)
_CHECK = Step(
    "Checking the judge",
    "A sample is judged once more, in the other order or by another judge.",
    (CHECK_JUDGE, SECOND_JUDGE),
)
_RATE = Step("Rating", "How interesting and how abstract each hypothesis is.", (RATE_INTERESTINGNESS, RATE_ABSTRACTION))
_MERGE = Step("Putting together", "Hypotheses that say the same become one entry.", (MERGE,))
_TESTED = Step("Testing", "What was found is tested on the other prompts, and the result is written.", short=True)


def steps_of(config: DiffConfig) -> tuple[Step, ...]:
    """The steps that a run will take, in their order.

    Args:
        config: The run.
    """
    return tuple(_planned(config))


def _planned(config: DiffConfig) -> Iterator[Step]:
    yield _READY
    if config.suspect:
        yield _WRITTEN
    if config.pool is not None and config.pool_by == "responses":
        for side in SIDES:
            yield Step("answers the pool", "Where the two differ most is told from these answers.", (POOL[side],))
    for side in SIDES:
        yield Step("answers", _ANSWERS[side], (RESPONSES[side],))
    plans = plans_of(config)
    for plan in plans:
        yield from plan.steps(config)
    if any(plan.judged for plan in plans):
        yield _JUDGE
        if config.check_judge or config.second_judge:
            yield _CHECK
    if config.raters:
        yield _RATE
    if config.judge or config.llm:
        yield _MERGE
    yield _TESTED


def progress_of(steps: Sequence[Step], stages: Sequence[Stage]) -> tuple[Shown, ...]:
    """How far a run is in its steps. A run goes through them in order: what lies before a step that was begun is over.

    Args:
        steps: Those of the run.
        stages: What the run told, in the order in which it began them.
    """
    begun = {stage.name: stage for stage in stages}
    latest = [next((begun[name] for name in reversed(begun) if name in step.stages), None) for step in steps]
    now = max((place for place, stage in enumerate(latest) if stage is not None), default=0)
    reached = latest[now]
    if reached is not None and reached.total and reached.done >= reached.total and steps[-1] is not steps[now]:
        # what tells nothing of itself is under way as soon as all before it is done
        now += not steps[now + 1].stages
    return tuple(
        _shown(step, stage, "done" if place < now else "now" if place == now else "later", begun)
        for place, step, stage in zip(count(), steps, latest, strict=False)
    )


def _shown(step: Step, stage: Stage | None, status: Status, begun: dict[str, Stage]) -> Shown:
    if stage is None:
        return Shown(step, status)
    tokens = begun.get(TOKENS[step.side]) if step.side and stage.name == RESPONSES[step.side] else None
    told = Shown(step, status, stage.done, stage.total, tokens.done if tokens else 0)
    return replace(told, seconds_left=stage.seconds_left) if status == "now" and not step.short else told


def seconds_left(shown: Sequence[Shown]) -> tuple[float, bool] | None:
    """How long the whole run will still take, where that can be said.

    Args:
        shown: The run's steps.

    Returns:
        Seconds, and whether they assume that model B answers as fast as model A; None where steps are to come whose
        length only shows once they have begun.
    """
    now = next((each for each in shown if each.status == "now"), None)
    if now is None or not now.seconds_left:
        return None
    later = [each.step for each in shown if each.status == "later" and not each.step.short]
    if not later:
        return now.seconds_left, False
    if now.step.stages == (RESPONSES["a"],) and [step.stages for step in later] == [(RESPONSES["b"],)]:
        return now.seconds_left + now.total * now.seconds_left / (now.total - now.done), True
    return None
