"""Has LLMs rate hypotheses from 1 to 5 for interestingness and abstraction (arXiv 2602.10371).

Hypotheses are rated as if they were true; the raters do not see any verdicts. Many hypotheses are rated in one reply,
in an order drawn by hash for each rater and scale, so that no method and neither model profits from its place.
"""

import functools
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from diffing.estimates import Estimate
from diffing.models.base import Model
from diffing.numbered_lines import answers_by_number, numbered
from diffing.packing import packed
from diffing.stages import RATE_ABSTRACTION, RATE_INTERESTINGNESS
from diffing.structured_replies import Items, LlmQuestion, UnreadableReply, ask_items, entries, entry, offered
from diffing.templates import render
from diffing.types import Hypothesis, OnProgress, Rating, Stage, Usage, ignore_progress

Scale: TypeAlias = Literal["interestingness", "abstraction"]
STAGES: Mapping[Scale, Stage] = {"interestingness": RATE_INTERESTINGNESS, "abstraction": RATE_ABSTRACTION}
RATED_AT_ONCE = 20
"""The largest number of hypotheses in one question."""
_CHARACTERS = 6000
"""The largest number of characters of hypotheses in one question, so that it fits into a small context window."""
SCHEMA = {
    "type": "object",
    "properties": {
        "ratings": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "statement": {"type": "integer"},
                    "rating": {"type": "integer", "enum": [1, 2, 3, 4, 5]},
                },
                "required": ["statement", "rating"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["ratings"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class RunRatings:
    """The ratings of all hypotheses."""

    ratings: Mapping[str, Rating]
    """The ratings by hypothesis id."""
    usage: tuple[Usage, ...]
    """The calls and tokens, one entry per rater and scale."""


def rate(
    models: Sequence[Model], hypotheses: Sequence[Hypothesis], on_progress: OnProgress = ignore_progress
) -> RunRatings:
    """Asks every rater for two ratings of every hypothesis, each scale in questions of its own.

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
    return RunRatings(ratings, tuple(usage))


def _rate_on(
    model: Model, scale: Scale, hypotheses: Sequence[Hypothesis], usage: list[Usage], on_progress: OnProgress
) -> list[int | None]:
    order = sorted(hypotheses, key=lambda each: _place(model.id, scale, each))
    packs = packed(order, lambda each: len(each.text), most=_CHARACTERS, most_items=RATED_AT_ONCE)
    questions = [_question(scale, pack) for pack in packs]
    asked = ask_items(model, questions, stage=STAGES[scale], schema=SCHEMA, on_progress=on_progress)
    usage.append(asked.usage)
    ratings = {
        hypothesis.id: None if isinstance(rating, UnreadableReply) else rating
        for pack, items in zip(packs, asked.replies, strict=True)
        for hypothesis, rating in zip(pack, items, strict=True)
    }
    return [ratings[hypothesis.id] for hypothesis in hypotheses]


def _place(rater: str, scale: Scale, hypothesis: Hypothesis) -> bytes:
    """Where a hypothesis stands in the list of one rater and scale: drawn by hash, the same in every rerun."""
    return hashlib.sha256("\0".join((rater, scale, hypothesis.id)).encode()).digest()


def _question(scale: Scale, hypotheses: Sequence[Hypothesis]) -> LlmQuestion[int]:
    text = render(scale, count=len(hypotheses), statements=numbered([each.text for each in hypotheses]))
    return LlmQuestion(text, functools.partial(_parse, len(hypotheses)), items=len(hypotheses))


def _parse(count: int, value: object) -> Items[int]:
    """Reads one rating per statement; a missing rating, an invalid one or two different ones make it unreadable."""
    return answers_by_number(
        entries(value, "ratings"),
        count,
        lambda item, _: int(offered(entry(item, "rating"), ("1", "2", "3", "4", "5"))),
        key="statement",
        missing="no rating of this statement",
        different="two different ratings",
    )


def _mean(ratings: Sequence[int | None]) -> Estimate:
    """The mean of the readable ratings; low and high are the lowest and the highest rating."""
    readable = [rating for rating in ratings if rating is not None]
    if not readable:
        return Estimate(value=None, low=None, high=None, n=0)
    return Estimate(value=sum(readable) / len(readable), low=min(readable), high=max(readable), n=len(readable))
