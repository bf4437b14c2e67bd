"""Has an LLM list the differences between the two responses of each pair, several pairs at a time.

Knows single pairs only; what many of them have in common is for the later steps.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from diffing.methods.llm.difference import Difference, verified_quote
from diffing.methods.llm.stages import DESCRIBE
from diffing.methods.statements import CATEGORIES, Statement, read_statement
from diffing.models.base import Model
from diffing.numbered_lines import answers_by_number
from diffing.packing import packed, size_of
from diffing.structured_replies import (
    Items,
    LlmQuestion,
    ReplyError,
    UnreadableReply,
    ask_items,
    entries,
    entry,
    offered,
)
from diffing.templates import fence, fence_conversation, render
from diffing.types import Category, OnProgress, Pair, Side, Usage, other_side

PAIRS_PER_QUESTION = 5
"""Most pairs in one question: with more of them, LLMs begin to mix them up and describe the last ones less fully."""
_TEXT = {"type": "string"}
SCHEMA = {
    "type": "object",
    "properties": {
        "pairs": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "pair": {"type": "integer"},
                    "differences": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "properties": {
                                "quote_1": _TEXT,
                                "quote_2": _TEXT,
                                "behaviour": _TEXT,
                                "shown_by": {"type": "string", "enum": ["1", "2"]},
                                "condition": _TEXT,
                                "category": {"type": "string", "enum": list(CATEGORIES)},
                            },
                            "required": ["quote_1", "quote_2", "behaviour", "shown_by", "condition", "category"],
                            "additionalProperties": False,
                        },
                    },
                },
                "required": ["pair", "differences"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["pairs"],
    "additionalProperties": False,
}


@dataclass(slots=True)
class PairDescription:
    """The description of one pair."""

    differences: list[Difference] = field(default_factory=list)
    """The differences that could be read."""
    unreadable: int = 0
    """Number of entries that could not be read."""
    categories: int = 0
    """Number of categories that were none of those offered; the difference is kept without one."""
    conditions: int = 0
    """Number of conditions that cannot be decided from a prompt; the difference is kept without one."""
    quotes: int = 0
    """Number of quotes that do not occur in the response; they are dropped."""


@dataclass(frozen=True, slots=True)
class PairDescriptions:
    """The descriptions of all pairs."""

    readings: tuple[PairDescription | None, ...]
    """One per pair, in order; None if it could not be read."""
    usage: Usage
    """The calls and tokens that they took."""

    @property
    def differences(self) -> tuple[Difference, ...]:
        """All differences, in the order of the pairs."""
        return tuple(difference for reading in self.readings if reading for difference in reading.differences)

    @property
    def left_out(self) -> dict[str, int]:
        """How much could not be read, by reason."""
        read = [reading for reading in self.readings if reading]
        return {
            "pairs whose description could not be read": len(self.readings) - len(read),
            "differences that could not be read": sum(reading.unreadable for reading in read),
            "categories that were none of those offered": sum(reading.categories for reading in read),
            "conditions of differences that could not be used": sum(reading.conditions for reading in read),
            "quotes that do not occur in the response": sum(reading.quotes for reading in read),
        }


def describe_pairs(model: Model, pairs: Sequence[Pair], *, seed: int, on_progress: OnProgress) -> PairDescriptions:
    """Asks about a few pairs per question.

    Args:
        model: The differ.
        pairs: Train pairs.
        seed: Of the order in which the responses are shown, drawn by hash per pair.
        on_progress: Told of every answer.
    """
    packs = packed(pairs, material_size, most_items=PAIRS_PER_QUESTION)
    questions = [_question(seed, pack) for pack in packs]
    asked = ask_items(model, questions, stage=DESCRIBE, schema=SCHEMA, on_progress=on_progress)
    replies = [item for items in asked.replies for item in items]
    return PairDescriptions(tuple(None if isinstance(item, UnreadableReply) else item for item in replies), asked.usage)


def material_size(pair: Pair) -> int:
    """The size of what a question shows of a pair."""
    return sum(map(size_of, (*(message.content for message in pair.prompt.messages), pair.a.text, pair.b.text)))


def first_shown(seed: int, pair: Pair) -> Side:
    """Which response is shown as 1: a fair coin that is the same in every rerun."""
    return "a" if hashlib.sha256(f"{seed}\0{pair.prompt.id}".encode()).digest()[0] % 2 == 0 else "b"


def _question(seed: int, pack: Sequence[Pair]) -> LlmQuestion[PairDescription]:
    firsts = [first_shown(seed, pair) for pair in pack]
    shown = list(zip(pack, firsts, strict=True))
    text = render(
        "describe",
        prompts=[fence_conversation(pair.prompt.messages) for pair in pack],
        responses_1=[fence(pair.response(first).text) for pair, first in shown],
        responses_2=[fence(pair.response(other_side(first)).text) for pair, first in shown],
    )
    return LlmQuestion(text, lambda value: _read(value, shown), len(pack))


def _read(value: object, shown: Sequence[tuple[Pair, Side]]) -> Items[PairDescription]:
    """The descriptions of the pairs of one question."""
    return answers_by_number(
        entries(value, "pairs"),
        len(shown),
        lambda item, place: _read_pair(item, *shown[place]),
        key="pair",
        missing="no entry for this pair",
    )


def _read_pair(value: object, pair: Pair, first: Side) -> PairDescription:
    """The differences of a pair that can be read.

    Raises:
        ReplyError: There are entries, but not one can be read: as good as no reply, so it is asked for again.
    """
    reading = PairDescription()
    for item in entries(entry(value, "differences"), "differences"):
        try:
            reading.differences.append(read_difference(item, read_statement(item), pair, first, reading))
        except ReplyError:
            reading.unreadable += 1
    if reading.unreadable and not reading.differences:
        raise ReplyError("no difference that can be read")
    return reading


def read_difference(
    item: object, statement: Statement, pair: Pair, first: Side, reading: PairDescription
) -> Difference:
    """One difference; its owner must be named, category and quotes may be missing.

    Raises:
        ReplyError: The reply does not say which response shows it.
    """
    owner = first if offered(entry(item, "shown_by"), ("1", "2")) == "1" else other_side(first)
    reading.conditions += statement.condition_rejected
    quotes: dict[Side, str | None] = {}
    for place, side in (("1", first), ("2", other_side(first))):
        quotes[side], missing = verified_quote(item, place, pair.response(side).text)
        reading.quotes += missing
    return Difference(
        prompt_id=pair.prompt.id,
        owner=owner,
        behaviour=statement.behaviour,
        condition=statement.condition,
        category=_category(item, reading),
        quote_a=quotes["a"],
        quote_b=quotes["b"],
    )


def _category(item: object, reading: PairDescription) -> Category | None:
    try:
        return offered(entry(item, "category"), CATEGORIES)
    except ReplyError:
        reading.categories += 1
        return None
