"""Has an LLM describe differences as arXiv 2602.10371 does: one pair per question, a sentence about each side."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from diffing.methods.llm.describe import PairDescription, first_shown, read_difference
from diffing.methods.llm.difference import Difference
from diffing.methods.llm.proposal import list_schema
from diffing.methods.llm.stages import DESCRIBE
from diffing.methods.statements import CATEGORIES, Statement, sentence
from diffing.models.base import Model
from diffing.structured_replies import LlmQuestion, ReplyError, UnreadableReply, ask_items, entries, entry
from diffing.templates import fence, fence_conversation, render
from diffing.types import OnProgress, Pair, Side, Usage, other_side

_TEXT = {"type": "string"}
SCHEMA = list_schema(
    "differences",
    {
        "quote_1": _TEXT,
        "quote_2": _TEXT,
        "shown_by": {"type": "string", "enum": ["1", "2"]},
        "has": _TEXT,
        "lacks": _TEXT,
        "category": {"type": "string", "enum": list(CATEGORIES)},
    },
)


@dataclass(frozen=True, slots=True)
class TwoSided:
    """A difference with a sentence about each side."""

    difference: Difference
    """The difference; its `behaviour` is the sentence about the owner."""
    lacks: str
    """A sentence about the other side; in it `<MODEL>` is that side."""


@dataclass(slots=True)
class TwoSidedReading(PairDescription):
    """The description of one pair."""

    lacks: list[str] = field(default_factory=list)
    """The sentence about the other side of each difference."""


@dataclass(frozen=True, slots=True)
class TwoSidedReadings:
    """The descriptions of all pairs."""

    readings: tuple[TwoSidedReading | None, ...]
    """One per pair, in order; None if it could not be read."""
    usage: Usage
    """The calls and tokens that they took."""

    @property
    def two_sided(self) -> tuple[TwoSided, ...]:
        """All differences, in the order of the pairs."""
        read = [reading for reading in self.readings if reading]
        return tuple(TwoSided(*both) for each in read for both in zip(each.differences, each.lacks, strict=True))


def describe_as_published(
    model: Model, pairs: Sequence[Pair], *, seed: int, on_progress: OnProgress
) -> TwoSidedReadings:
    """Asks once per pair; see `describe_pairs`."""
    questions = [_question(pair, first_shown(seed, pair)) for pair in pairs]
    asked = ask_items(model, questions, stage=DESCRIBE, schema=SCHEMA, on_progress=on_progress)
    replies = [reply for (reply,) in asked.replies]
    return TwoSidedReadings(
        tuple(None if isinstance(reply, UnreadableReply) else reply for reply in replies), asked.usage
    )


def _question(pair: Pair, first: Side) -> LlmQuestion[TwoSidedReading]:
    text = render(
        "describe_as_published",
        prompt=fence_conversation(pair.prompt.messages),
        response_1=fence(pair.response(first).text),
        response_2=fence(pair.response(other_side(first)).text),
    )
    return LlmQuestion(text, lambda value: (_read(value, pair, first),))


def _read(value: object, pair: Pair, first: Side) -> TwoSidedReading:
    """The differences that can be read.

    Raises:
        ReplyError: There are entries, but not one can be read: as good as no reply, so it is asked for again.
    """
    reading = TwoSidedReading()
    for item in entries(value, "differences"):
        try:
            has, lacks = (sentence(entry(item, half)) for half in ("has", "lacks"))
            reading.differences.append(read_difference(item, Statement(has), pair, first, reading))
            reading.lacks.append(lacks)
        except ReplyError:
            reading.unreadable += 1
    if reading.unreadable and not reading.differences:
        raise ReplyError("no difference that can be read")
    return reading
