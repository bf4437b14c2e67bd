"""Builds the judge's prompts, each with one pair and a batch of hypotheses, and parses the labels in its replies."""

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

from diffing.models.base import Model
from diffing.stages import JUDGE
from diffing.structured_replies import Items, Question, ReplyError, Unreadable, ask_items, entries, entry, offered
from diffing.templates import fence, fence_conversation, render
from diffing.types import Hypothesis, OnProgress, Pair, Side, Usage, Verdict, ignore_progress, other_side

T = TypeVar("T")
Label: TypeAlias = Literal["1", "2", "N/A"]
LABELS: tuple[Label, ...] = ("1", "2", "N/A")
SCHEMA = {
    "type": "object",
    "properties": {
        "verdicts": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"statement": {"type": "integer"}, "fits": {"type": "string", "enum": list(LABELS)}},
                "required": ["statement", "fits"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["verdicts"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Judging:
    """How the judge is asked."""

    batch: int = 10
    """Hypotheses per question."""
    both_orders: bool = False
    """Whether to ask every question twice, with the responses swapped; a disagreement counts as NEITHER."""
    seed: int = 0
    """The seed of the order in which the two responses are shown, drawn by hash for each pair and batch."""


@dataclass(frozen=True, slots=True)
class JudgeQuestion:
    """One question to the judge: a pair in one order, with a batch of hypotheses."""

    pair: Pair
    """The pair whose responses are judged."""
    batch: tuple[Hypothesis, ...]
    """The hypotheses on which the judge gives a label each."""
    first: Side
    """The side whose response is shown first."""

    def verdict(self, fits: Label) -> Verdict:
        """Translates a label to a verdict, given the order in which the responses are shown."""
        if fits == "N/A":
            return Verdict.NEITHER
        side = self.first if fits == "1" else other_side(self.first)
        return Verdict.A if side == "a" else Verdict.B


AnsweredQuestion: TypeAlias = tuple[JudgeQuestion, Items[Label]]
"""A question with its reply, which has one item per hypothesis of the batch."""


def ask_judge(
    model: Model,
    hypotheses: Sequence[Hypothesis],
    pairs: Sequence[Pair],
    judging: Judging,
    on_progress: OnProgress = ignore_progress,
) -> tuple[list[AnsweredQuestion], Usage]:
    """Asks about every hypothesis and pair; in both orders, the two questions of a pair and batch are neighbours."""
    questions: list[JudgeQuestion] = []
    for group in batches(hypotheses, judging.batch):
        for pair in pairs:
            first = _first(judging.seed, pair, group)
            questions += [
                JudgeQuestion(pair, group, side) for side in (first, other_side(first))[: 1 + judging.both_orders]
            ]
    prompts = [_prompt_for(question) for question in questions]
    answers = ask_items(model, prompts, stage=JUDGE, schema=SCHEMA, on_progress=on_progress)
    return list(zip(questions, answers.replies, strict=True)), answers.usage


def batches(items: Sequence[T], size: int) -> list[tuple[T, ...]]:
    """Splits items into batches of a size; the last batch may be smaller."""
    return [tuple(items[i : i + size]) for i in range(0, len(items), size)]


def _first(seed: int, pair: Pair, group: Sequence[Hypothesis]) -> Side:
    """Decides by hash which response is shown first: a fair coin toss that is the same in every rerun."""
    key = "\0".join([str(seed), pair.prompt.id, *(hypothesis.id for hypothesis in group)])
    return "a" if hashlib.sha256(key.encode()).digest()[0] % 2 == 0 else "b"


def _prompt_for(question: JudgeQuestion) -> Question[Label]:
    text = render(
        "judge",
        count=len(question.batch),
        prompt=fence_conversation(question.pair.prompt.messages),
        response_1=fence(question.pair.response(question.first).text),
        response_2=fence(question.pair.response(other_side(question.first)).text),
        hypotheses=[fence(hypothesis.text) for hypothesis in question.batch],
    )
    return Question(text, functools.partial(_parse, len(question.batch)), items=len(question.batch))


def _parse(count: int, value: object) -> Items[Label]:
    """Reads one label per statement; a missing label, an invalid one or two different ones make it unreadable."""
    found: dict[str, Label | Unreadable] = {}
    numbers = [str(i + 1) for i in range(count)]
    for item in entries(value, "verdicts"):
        try:
            number = offered(entry(item, "statement"), numbers)
        except ReplyError:
            continue
        try:
            label: Label | Unreadable = offered(entry(item, "fits"), LABELS)
        except ReplyError as error:
            label = Unreadable(str(error))
        found[number] = label if found.get(number, label) == label else Unreadable("two different labels")
    return tuple(found.get(number, Unreadable("no verdict on this statement")) for number in numbers)
