"""Has LLMs rate hypotheses from 1 to 5 for interestingness and abstraction (arXiv 2602.10371).

Hypotheses are rated as if they were true; the raters do not see any verdicts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from diffing.models.base import Model
from diffing.stages import RATE_ABSTRACTION, RATE_INTERESTINGNESS
from diffing.structured_replies import Unreadable, ask, entry, offered
from diffing.templates import fence, render
from diffing.types import Estimate, Hypothesis, OnProgress, Rating, Stage, Usage, ignore_progress

Scale: TypeAlias = Literal["interestingness", "abstraction"]
_STAGES: Mapping[Scale, Stage] = {"interestingness": RATE_INTERESTINGNESS, "abstraction": RATE_ABSTRACTION}
SCHEMA = {
    "type": "object",
    "properties": {"rating": {"type": "integer", "enum": [1, 2, 3, 4, 5]}},
    "required": ["rating"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Rated:
    """The ratings of all hypotheses."""

    ratings: Mapping[str, Rating]
    """The ratings by hypothesis id."""
    usage: tuple[Usage, ...]
    """The calls and tokens, one entry per rater and scale."""


def rate(models: Sequence[Model], hypotheses: Sequence[Hypothesis], on_progress: OnProgress = ignore_progress) -> Rated:
    """Asks every rater for two ratings of every hypothesis, in separate questions.

    Args:
        models: The raters; the papers use three of different model families.
        hypotheses: The hypotheses to rate.
        on_progress: Called after every answer.

    Raises:
        ModelError: A rater cannot be used at all.
        LimitError: A hard limit of calls or dollars was reached.
    """
    usage: list[Usage] = []
    replies: dict[str, list[tuple[str, int | None, int | None]]] = {hypothesis.id: [] for hypothesis in hypotheses}
    for model in models:
        interestingness = _rate_on(model, "interestingness", hypotheses, usage, on_progress)
        abstraction = _rate_on(model, "abstraction", hypotheses, usage, on_progress)
        for hypothesis, interesting, abstract in zip(hypotheses, interestingness, abstraction, strict=True):
            replies[hypothesis.id].append((model.id, interesting, abstract))
    ratings = {
        hypothesis_id: Rating(_mean([row[1] for row in rows]), _mean([row[2] for row in rows]), tuple(rows))
        for hypothesis_id, rows in replies.items()
    }
    return Rated(ratings, tuple(usage))


def _rate_on(
    model: Model, scale: Scale, hypotheses: Sequence[Hypothesis], usage: list[Usage], on_progress: OnProgress
) -> list[int | None]:
    questions = [render(scale, hypothesis=fence(hypothesis.text)) for hypothesis in hypotheses]
    asked = ask(model, questions, _parse, stage=_STAGES[scale], schema=SCHEMA, on_progress=on_progress)
    usage.append(asked.usage)
    return [None if isinstance(reply, Unreadable) else reply for reply in asked.replies]


def _parse(value: object) -> int:
    return int(offered(entry(value, "rating"), ("1", "2", "3", "4", "5")))


def _mean(ratings: Sequence[int | None]) -> Estimate:
    """The mean of the readable ratings; low and high are the lowest and the highest rating."""
    readable = [rating for rating in ratings if rating is not None]
    if not readable:
        return Estimate(value=None, low=None, high=None, n=0)
    return Estimate(value=sum(readable) / len(readable), low=min(readable), high=max(readable), n=len(readable))
