"""Questions to the judge: a pair in one order with up to a batch of hypotheses, and how its reply is read."""

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
Fits: TypeAlias = Literal["1", "2", "N/A"]
LABELS: tuple[Fits, ...] = ("1", "2", "N/A")
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
    """Ask everything twice, the responses swapped; a disagreement is NEITHER."""
    seed: int = 0
    """Of the order in which the two responses are shown, drawn by hash per pair and batch."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One question to the judge: a pair in one order, with up to a batch of hypotheses."""

    pair: Pair
    """What is judged."""
    batch: tuple[Hypothesis, ...]
    """By what."""
    first: Side
    """Whose response is shown first."""

    def verdict(self, fits: Fits) -> Verdict:
        """The side a label means, through the order shown."""
        if fits == "N/A":
            return Verdict.NEITHER
        side = self.first if fits == "1" else other_side(self.first)
        return Verdict.A if side == "a" else Verdict.B


Answered: TypeAlias = tuple[Sheet, Items[Fits]]
"""A question with its reply, one item per hypothesis of its batch."""


def ask_sheets(
    model: Model,
    hypotheses: Sequence[Hypothesis],
    pairs: Sequence[Pair],
    judging: Judging,
    on_progress: OnProgress = ignore_progress,
) -> tuple[list[Answered], Usage]:
    """Asks about every hypothesis and pair; with both orders, the two questions of a pair and batch are neighbours."""
    sheets: list[Sheet] = []
    for group in groups(hypotheses, judging.batch):
        for pair in pairs:
            first = _first(judging.seed, pair, group)
            sheets += [Sheet(pair, group, side) for side in (first, other_side(first))[: 1 + judging.both_orders]]
    questions = [_question(sheet) for sheet in sheets]
    asked = ask_items(model, questions, stage=JUDGE, schema=SCHEMA, on_progress=on_progress)
    return list(zip(sheets, asked.replies, strict=True)), asked.usage


def groups(items: Sequence[T], size: int) -> list[tuple[T, ...]]:
    """The items in groups of a size, the last perhaps smaller."""
    return [tuple(items[i : i + size]) for i in range(0, len(items), size)]


def _first(seed: int, pair: Pair, group: Sequence[Hypothesis]) -> Side:
    """Which response is shown first: a fair coin that is the same in every rerun."""
    key = "\0".join([str(seed), pair.prompt.id, *(hypothesis.id for hypothesis in group)])
    return "a" if hashlib.sha256(key.encode()).digest()[0] % 2 == 0 else "b"


def _question(sheet: Sheet) -> Question[Fits]:
    text = render(
        "judge",
        count=len(sheet.batch),
        prompt=fence_conversation(sheet.pair.prompt.messages),
        response_1=fence(sheet.pair.response(sheet.first).text),
        response_2=fence(sheet.pair.response(other_side(sheet.first)).text),
        hypotheses=[fence(hypothesis.text) for hypothesis in sheet.batch],
    )
    return Question(text, functools.partial(_parse, len(sheet.batch)), items=len(sheet.batch))


def _parse(count: int, value: object) -> Items[Fits]:
    """One label per statement; a statement without one, with two different ones or a wrong one is unreadable."""
    found: dict[str, Fits | Unreadable] = {}
    numbers = [str(i + 1) for i in range(count)]
    for item in entries(value, "verdicts"):
        try:
            number = offered(entry(item, "statement"), numbers)
        except ReplyError:
            continue
        try:
            label: Fits | Unreadable = offered(entry(item, "fits"), LABELS)
        except ReplyError as error:
            label = Unreadable(str(error))
        found[number] = label if found.get(number, label) == label else Unreadable("two different labels")
    return tuple(found.get(number, Unreadable("no verdict on this statement")) for number in numbers)
