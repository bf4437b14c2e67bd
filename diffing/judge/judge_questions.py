"""Builds the judge's prompts, each with one pair and a batch of hypotheses, and parses the labels in its replies."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, TypeVar

from diffing.models.base import Model
from diffing.numbered_lines import answers_by_number, numbered
from diffing.packing import packed
from diffing.structured_replies import Askable, Items, ask_items, entries, entry, offered
from diffing.templates import fence, fence_conversation, render
from diffing.types import Hypothesis, OnProgress, Pair, Side, Stage, Usage, Verdict, ignore_progress, other_side

T = TypeVar("T")
Label: TypeAlias = Literal["1", "2", "SAME", "NOT SHOWN"]
LABELS: tuple[Label, ...] = ("1", "2", "SAME", "NOT SHOWN")
STATEMENTS_LENGTH = 4000
"""The most characters of statements in one question, unless a single one is longer: judges with a context of 8,000
tokens need the rest for the pair and for their answer."""
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

    batch: int = 20
    """The largest number of hypotheses in one question. The papers use 10; a run seldom has more than 20 that apply to
    a prompt, so with 20 each pair of responses is sent only once."""
    both_orders: bool = False
    """Whether to ask every question twice, with the responses swapped; a disagreement counts as NEITHER."""
    seed: int = 0
    """The seed of the order in which the two responses are shown, drawn by hash for each pair and batch."""


@dataclass(frozen=True, slots=True)
class JudgeQuestion:
    """One question to the judge: a pair in one order, with a batch of hypotheses.

    Its text is rendered whenever it is read, since the texts of all questions would fill the memory.
    """

    pair: Pair
    """The pair whose responses are judged."""
    batch: tuple[Hypothesis, ...]
    """The hypotheses on which the judge gives a label each."""
    first: Side
    """The side whose response is shown first."""

    @property
    def swapped(self) -> "JudgeQuestion":
        """The same question with the responses in the other order."""
        return replace(self, first=other_side(self.first))

    @property
    def text(self) -> str:
        """The text of the question."""
        return render(
            "judge",
            count=self.items,
            statements=numbered(hypothesis.text for hypothesis in self.batch),
            prompt=fence_conversation(self.pair.prompt.messages),
            response_1=fence(self.pair.response(self.first).text),
            response_2=fence(self.pair.response(other_side(self.first)).text),
        )

    @property
    def items(self) -> int:
        """The number of labels that the reply must have."""
        return len(self.batch)

    def parse(self, value: object) -> Items[Label]:
        """Reads one label per statement; a missing label, an invalid one or two different ones make it unreadable."""
        return answers_by_number(
            entries(value, "verdicts"),
            self.items,
            _label,
            key="statement",
            missing="no verdict on this statement",
            different="two different labels",
        )

    def verdict(self, fits: Label) -> Verdict:
        """Translates a label to a verdict, given the order in which the responses are shown."""
        match fits:
            case "SAME":
                return Verdict.SAME
            case "NOT SHOWN":
                return Verdict.NOT_SHOWN
            case _:
                side = self.first if fits == "1" else other_side(self.first)
                return Verdict.A if side == "a" else Verdict.B


AnsweredQuestion: TypeAlias = tuple[JudgeQuestion, Items[Label]]
"""A question with its reply, which has one item per hypothesis of the batch."""


def questions_about(asked: Iterable[tuple[Pair, Sequence[Hypothesis]]], judging: Judging) -> list[JudgeQuestion]:
    """Packs the hypotheses that are to be judged on each pair into full questions.

    Questions with equal batches are neighbours where possible, because servers cache what they begin with. In both
    orders, the two questions about a pair and batch are neighbours.

    Args:
        asked: Pairs, each with the hypotheses that are judged on it.
        judging: How the judge is asked.
    """
    packed = [(pair, _packed(hypotheses, judging.batch)) for pair, hypotheses in asked]
    questions: list[JudgeQuestion] = []
    for number in range(max((len(groups) for _, groups in packed), default=0)):
        for pair, groups in packed:
            if number < len(groups):
                question = JudgeQuestion(pair, groups[number], _first(judging.seed, pair, groups[number]))
                questions += [question, question.swapped][: 1 + judging.both_orders]
    return questions


def ask_judge(
    model: Model, questions: Sequence[JudgeQuestion], stage: Stage, on_progress: OnProgress = ignore_progress
) -> tuple[list[AnsweredQuestion], Usage]:
    """Asks the judge; returns every question with its reply, and the calls and tokens."""
    asked: Sequence[Askable[Label]] = questions
    answers = ask_items(model, asked, stage=stage, schema=SCHEMA, on_progress=on_progress)
    return list(zip(questions, answers.replies, strict=True)), answers.usage


def batches(items: Sequence[T], size: int) -> list[tuple[T, ...]]:
    """Splits items into batches of a size; the last batch may be smaller."""
    return [tuple(items[i : i + size]) for i in range(0, len(items), size)]


def _packed(hypotheses: Sequence[Hypothesis], most: int) -> list[tuple[Hypothesis, ...]]:
    """Batches of hypotheses; those without a scope come first, so that their batches are equal for all pairs."""
    ordered = sorted(hypotheses, key=lambda hypothesis: hypothesis.scope is not None)
    packs = packed(ordered, lambda hypothesis: len(hypothesis.text), most=STATEMENTS_LENGTH, most_items=most)
    return [tuple(pack) for pack in packs]


def _label(item: object, _place: int) -> Label:
    return offered(entry(item, "fits"), LABELS)


def _first(seed: int, pair: Pair, group: Sequence[Hypothesis]) -> Side:
    """Decides by hash which response is shown first: a fair coin toss that is the same in every rerun."""
    key = "\0".join([str(seed), pair.prompt.id, *(hypothesis.id for hypothesis in group)])
    return "a" if hashlib.sha256(key.encode()).digest()[0] % 2 == 0 else "b"
