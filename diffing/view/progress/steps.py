"""Lists the steps of a run in plain words, and computes the progress of each step from the stages that were reported.

The settings alone determine the steps. A remaining time is given only if it can be estimated.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Literal, TypeAlias

from diffing.config import DiffConfig
from diffing.methods.plan import plans_of
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
    REPEAT,
    RESPONSES,
    SCOPE,
    SECOND_JUDGE,
    TOKENS,
    WEIGHTS,
    WRITE_PROMPTS,
    ListedStep,
)
from diffing.types import SIDES, Side
from diffing.view.runs import StageProgress

Status: TypeAlias = Literal["done", "now", "later"]


@dataclass(frozen=True, slots=True)
class StepProgress:
    """The progress of one step."""

    step: ListedStep
    """The step."""
    status: Status
    """Whether it is done, under way, or still to come."""
    done: int = 0
    """Number of items done."""
    total: int = 0
    """Number of items in all; 0 if it is not known."""
    tokens: int = 0
    """Number of tokens written so far; 0 if they are not counted."""
    seconds_left: float | None = None
    """Remaining time of this step at the faster of two measured speeds; None if it cannot be estimated."""
    seconds_at_most: float | None = None
    """Remaining time of this step at the slower of the two."""
    doing: str = ""
    """What is being done right now, if the step has several parts; `<MODEL>` stands for the model of `doing_for`."""
    doing_for: Side | None = None
    """The model in `doing`."""

    @property
    def percent(self) -> int | None:
        """Percentage of items done, rounded down; None if the total is not known."""
        return 100 * self.done // self.total if self.total and self.step.unit else None


_READY = ListedStep(
    "Getting ready",
    "Models and prompts are looked up, checked and loaded.",
    (ACCESS, PREPARE, *WEIGHTS.values(), *GPU.values()),
    short=True,
)
_STARTING = "Starting Python."
_DOING: dict[str, tuple[str, Side | None]] = {
    ACCESS: ("Checking that the models may be read.", None),
    PREPARE: ("Looking up the models and the prompts.", None),
    **{WEIGHTS[side]: ("Loading <MODEL>.", side) for side in SIDES},
    **{GPU[side]: ("Getting a GPU for <MODEL>.", side) for side in SIDES},
}
"""What is being done in each stage before the first answers."""
_WRITTEN = ListedStep(
    "Writing prompts", "The LLM writes prompts that could reveal the suspected difference.", (WRITE_PROMPTS,)
)
_ANSWERS: dict[Side, str] = {
    "a": "Every prompt is answered once; responses from earlier runs are reused.",
    "b": "The same prompts, answered once.",
}
_JUDGE = ListedStep(
    "Judging",
    "The judge says which of two responses fits a hypothesis better, without knowing whose they are. Before that, it "
    "says which prompts meet the conditions that hypotheses have.",
    (SCOPE, JUDGE),
)
_CHECK = ListedStep(
    "Checking the judge",
    "A sample is judged again, in the other order or by another judge.",
    (CHECK_JUDGE, SECOND_JUDGE),
)
_RATE = ListedStep(
    "Rating", "How interesting and how abstract each hypothesis is.", (RATE_INTERESTINGNESS, RATE_ABSTRACTION)
)
_MERGE = ListedStep("Grouping", "Hypotheses that say the same become one entry.", (MERGE,))
_REPEAT = ListedStep(
    "Repeating with other seeds",
    "Hypotheses are found and judged again, on the same responses, to see which come back.",
    (REPEAT,),
)
_TESTED = ListedStep(
    "Testing", "The hypotheses are tested on the held-out prompts, and the result is saved.", short=True
)


def steps_of(config: DiffConfig) -> tuple[ListedStep, ...]:
    """The steps of a run, in order.

    Args:
        config: The settings of the run.
    """
    return tuple(_planned(config))


def _planned(config: DiffConfig) -> Iterator[ListedStep]:
    yield _READY
    if config.suspect:
        yield _WRITTEN
    if config.pool is not None and config.pool_by == "responses":
        for side in SIDES:
            yield ListedStep(
                "answers the pool",
                "The prompts on which the models differ most are chosen from these responses.",
                (POOL[side],),
            )
    for side in SIDES:
        yield ListedStep("answers", _ANSWERS[side], (RESPONSES[side],))
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
    if config.stability > 1:
        yield _REPEAT
    yield _TESTED


def progress_of(
    steps: Sequence[ListedStep], stages: Sequence[StageProgress], loads: Sequence[Side] = ()
) -> tuple[StepProgress, ...]:
    """Computes the progress of each step. Steps follow each other, so every step before one that has begun is over.

    Args:
        steps: The steps of the run.
        stages: The stages that the run reported, in the order in which they began.
        loads: The sides whose models are loaded in the run's own process, before their first response.
    """
    begun = {stage.name: stage for stage in stages}
    latest = [next((begun[name] for name in reversed(begun) if name in step.stages), None) for step in steps]
    now = max((place for place, stage in enumerate(latest) if stage is not None), default=0)
    reached = latest[now]
    if reached is not None and reached.total and reached.done >= reached.total and steps[-1] is not steps[now]:
        # a step that reports no progress is under way as soon as the one before it is done
        now += not steps[now + 1].stages
    return tuple(
        _doing(_progress_of_step(step, stage, _status(place, now), begun), stage, loads)
        for place, step, stage in zip(count(), steps, latest, strict=False)
    )


def _progress_of_step(
    step: ListedStep, stage: StageProgress | None, status: Status, begun: dict[str, StageProgress]
) -> StepProgress:
    if stage is None:
        return StepProgress(step, status)
    tokens = begun.get(TOKENS[step.side]) if step.side and stage.name == RESPONSES[step.side] else None
    progress = StepProgress(step, status, stage.done, stage.total, tokens.done if tokens else 0)
    if status != "now" or step.short:
        return progress
    return replace(progress, seconds_left=stage.seconds_left, seconds_at_most=stage.seconds_at_most)


def _status(place: int, now: int) -> Status:
    return "done" if place < now else "now" if place == now else "later"


def _doing(progress: StepProgress, stage: StageProgress | None, loads: Sequence[Side]) -> StepProgress:
    """Adds what is being done right now, if the step says more than its sentence."""
    step = progress.step
    if progress.status != "now":
        return progress
    if stage is None:
        return replace(progress, doing=_STARTING) if step is _READY else progress
    if step.side in loads and not (progress.done or progress.tokens):
        return replace(progress, doing="Loading <MODEL>. The first answers follow.", doing_for=step.side)
    doing, side = _DOING.get(stage.name, ("", None))
    return replace(progress, doing=doing, doing_for=side)


def seconds_left(progress: Sequence[StepProgress]) -> tuple[float, float, bool] | None:
    """Estimates the remaining time of the whole run.

    Args:
        progress: The progress of each step.

    Returns:
        The seconds at the faster and at the slower of two measured speeds, and whether they assume that model B answers
        as fast as model A; None if the length of a later step is not known yet.
    """
    now = next((each for each in progress if each.status == "now"), None)
    if now is None or not now.seconds_left:
        return None
    later = [each.step for each in progress if each.status == "later" and not each.step.short]
    times = now.seconds_left, now.seconds_at_most or now.seconds_left
    if not later:
        return *times, False
    if now.step.stages == (RESPONSES["a"],) and [step.stages for step in later] == [(RESPONSES["b"],)]:
        least, most = (time + now.total * time / (now.total - now.done) for time in times)
        return least, most, True
    return None
