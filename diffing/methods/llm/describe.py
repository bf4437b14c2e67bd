"""Step 1 of method llm: per pair, an LLM lists the differences between the two responses.

Knows single pairs only; what many of them have in common is for the later steps.
"""

import functools
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from diffing.methods.llm.stages import DESCRIBE
from diffing.models.base import Model
from diffing.structured_replies import Label, Question, ReplyError, Unreadable, ask_items, entries, entry, offered
from diffing.templates import fence, fence_conversation, render
from diffing.types import Category, OnProgress, Pair, Side, Usage, other_side

Place: TypeAlias = Literal["1", "2"]
Impact: TypeAlias = Literal["low", "medium", "high"]
Serves: TypeAlias = Literal["capability", "experience", "neutral", "negative"]
CATEGORIES: tuple[Category, ...] = get_args(Category)
LONGEST_SENTENCE = 400
LONGEST_LABEL = 60
_TEXTS = ("has", "lacks", "label", "quote_1", "quote_2")
_CHOICES: dict[str, tuple[str, ...]] = {
    "shown_by": get_args(Place),
    "category": CATEGORIES,
    "scope": ("general", "specific"),
    "impact": get_args(Impact),
    "serves": get_args(Serves),
}
_FLAGS = ("error", "unexpected")
SCHEMA = {
    "type": "object",
    "properties": {
        "differences": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    **{name: {"type": "string", "enum": list(labels)} for name, labels in _CHOICES.items()},
                    **{name: {"type": "string"} for name in _TEXTS},
                    **{name: {"type": "boolean"} for name in _FLAGS},
                },
                "required": [*_CHOICES, *_TEXTS, *_FLAGS],
                "additionalProperties": False,
            },
        }
    },
    "required": ["differences"],
    "additionalProperties": False,
}
_PLACE_IN_SENTENCE = re.compile(r"\b(?:response|answer|model)\s*(?:[12]|one|two)\b", re.IGNORECASE)
_WORDS = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Difference:
    """One observed contrast in one pair. None where the LLM said nothing that was offered."""

    prompt_id: str
    """The pair."""
    owner: Side
    """Whose response shows the property."""
    has: str
    """A sentence about the owner; `<MODEL>` is the owner."""
    lacks: str
    """A sentence about the other side; `<MODEL>` is the other side."""
    label: str | None
    """The property in a few words."""
    category: Category | None
    """One of the seven."""
    general: bool | None
    """A trait that would show on other prompts too, or specific to this one."""
    impact: Impact | None
    """How much it matters to the user."""
    serves: Serves | None
    """What the property does for the user."""
    error: bool | None
    """A mistake is involved."""
    unexpected: bool | None
    """Not what one expects of a language model."""
    quote_a: str | None
    """Words of A's response that show it, verified."""
    quote_b: str | None
    """Words of B's response that show it, verified."""

    def quote(self, side: Side) -> str | None:
        """The quote of one side's response."""
        return self.quote_a if side == "a" else self.quote_b


@dataclass(frozen=True, slots=True)
class Described:
    """The differences of all pairs, and what could not be read."""

    differences: tuple[Difference, ...]
    """In the order of the pairs."""
    usage: Usage
    """What it took."""
    unreadable_pairs: int
    """Pairs whose description could not be read."""
    unreadable_differences: int
    """Entries of otherwise readable descriptions that could not be read."""
    details_not_offered: int
    """Details (impact, category, ...) that were none of those offered; the difference is kept without them."""
    quotes_not_found: int
    """Quotes that do not occur in the response; dropped."""


@dataclass(slots=True)
class _Reading:
    """One description, while it is read."""

    differences: list[Difference] = field(default_factory=list)
    unreadable: int = 0
    details: int = 0
    quotes: int = 0


def describe_pairs(model: Model, pairs: Sequence[Pair], *, seed: int, on_progress: OnProgress) -> Described:
    """Asks once per pair.

    Args:
        model: The differ.
        pairs: Train pairs.
        seed: Of the order in which the responses are shown, drawn by hash per pair.
        on_progress: Told of every answer.
    """
    asked = ask_items(
        model, [_question(seed, pair) for pair in pairs], stage=DESCRIBE, schema=SCHEMA, on_progress=on_progress
    )
    read = [reply for (reply,) in asked.replies if not isinstance(reply, Unreadable)]
    return Described(
        differences=tuple(difference for reading in read for difference in reading.differences),
        usage=asked.usage,
        unreadable_pairs=asked.usage.unreadable,
        unreadable_differences=sum(reading.unreadable for reading in read),
        details_not_offered=sum(reading.details for reading in read),
        quotes_not_found=sum(reading.quotes for reading in read),
    )


def _question(seed: int, pair: Pair) -> Question[_Reading]:
    first = _first(seed, pair)
    text = render(
        "describe",
        prompt=fence_conversation(pair.prompt.messages),
        response_1=fence(pair.response(first).text),
        response_2=fence(pair.response(other_side(first)).text),
    )
    return Question(text, lambda value: (_read(value, pair, first),))


def _read(value: object, pair: Pair, first: Side) -> _Reading:
    """The differences that can be read.

    Raises:
        ReplyError: There are entries, but not one can be read: as good as no reply, so it is asked for again.
    """
    reading = _Reading()
    for item in entries(value, "differences"):
        try:
            reading.differences.append(_difference(item, pair, first, reading))
        except ReplyError:
            reading.unreadable += 1
    if reading.unreadable and not reading.differences:
        raise ReplyError("no difference that can be read")
    return reading


def _first(seed: int, pair: Pair) -> Side:
    """Which response is shown as 1: a fair coin that is the same in every rerun."""
    return "a" if hashlib.sha256(f"{seed}\0{pair.prompt.id}".encode()).digest()[0] % 2 == 0 else "b"


def _difference(item: object, pair: Pair, first: Side, reading: _Reading) -> Difference:
    """One entry of the list; owner and sentences must be there, the rest may be missing."""
    owner = first if offered(entry(item, "shown_by"), get_args(Place)) == "1" else other_side(first)
    has, lacks = _sentence(entry(item, "has")), _sentence(entry(item, "lacks"))
    detail = functools.partial(_detail, item, reading=reading)
    scope, error, unexpected = (
        detail("scope", ("general", "specific")),
        detail("error", ("true", "false")),
        detail("unexpected", ("true", "false")),
    )
    place_of_a, place_of_b = ("1", "2") if first == "a" else ("2", "1")
    return Difference(
        prompt_id=pair.prompt.id,
        owner=owner,
        has=has,
        lacks=lacks,
        label=_label(item),
        category=detail("category", CATEGORIES),
        general=None if scope is None else scope == "general",
        impact=detail("impact", get_args(Impact)),
        serves=detail("serves", get_args(Serves)),
        error=None if error is None else error == "true",
        unexpected=None if unexpected is None else unexpected == "true",
        quote_a=_quote(item, place_of_a, pair.a.text, reading),
        quote_b=_quote(item, place_of_b, pair.b.text, reading),
    )


def _sentence(value: object) -> str:
    """A sentence about `<MODEL>`, on one line.

    Raises:
        ReplyError: Not about `<MODEL>`, empty, too long, or about the place in which a response was shown, which means
            nothing outside this one question.
    """
    text = " ".join(value.split()) if isinstance(value, str) else ""
    if not text.startswith("<MODEL>") or len(_WORDS.findall(text)) < 2 or len(text) > LONGEST_SENTENCE:
        raise ReplyError("a sentence that is not about <MODEL>")
    if _PLACE_IN_SENTENCE.search(text):
        raise ReplyError("a sentence about the place of a response")
    return text


def _detail(item: object, name: str, labels: Sequence[Label], *, reading: _Reading) -> Label | None:
    try:
        return offered(entry(item, name), labels)
    except ReplyError:
        reading.details += 1
        return None


def _label(item: object) -> str | None:
    value = item.get("label") if isinstance(item, dict) else None
    return " ".join(value.split())[:LONGEST_LABEL] or None if isinstance(value, str) else None


def _quote(item: object, place: str, response: str, reading: _Reading) -> str | None:
    """The quoted words as they stand in the response; whitespace may differ, nothing else."""
    value = item.get(f"quote_{place}") if isinstance(item, dict) else None
    words = value.split() if isinstance(value, str) else []
    if not words:
        return None
    # the LLM saw the defused text, in which every character stands at the same place
    found = re.search(r"\s+".join(map(re.escape, words)), fence(response).text)
    if found is None:
        reading.quotes += 1
        return None
    return response[found.start() : found.end()]
