"""Step 1 of method llm: per pair, an LLM lists the differences between the two responses.

Knows single pairs only; what many of them have in common is for the later steps.
"""

import functools
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from diffing.ask import Label, ReplyError, Unreadable, ask, entries, entry, offered
from diffing.models.base import Model
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
class _Count:
    """What is counted while one description is read."""

    differences: int = 0
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
    first = [_first(seed, pair) for pair in pairs]
    questions = [
        render(
            "describe",
            prompt=fence_conversation(pair.prompt.messages),
            response_1=fence(pair.response(side).text),
            response_2=fence(pair.response(other_side(side)).text),
        )
        for pair, side in zip(pairs, first, strict=True)
    ]
    asked = ask(
        model,
        questions,
        lambda value: entries(value, "differences"),
        stage="describe",
        schema=SCHEMA,
        on_progress=on_progress,
    )
    count = _Count()
    differences: list[Difference] = []
    for pair, side, reply in zip(pairs, first, asked.replies, strict=True):
        for item in () if isinstance(reply, Unreadable) else reply:
            try:
                differences.append(_difference(item, pair, side, count))
            except ReplyError:
                count.differences += 1
    return Described(
        differences=tuple(differences),
        usage=asked.usage,
        unreadable_pairs=asked.usage.unreadable,
        unreadable_differences=count.differences,
        details_not_offered=count.details,
        quotes_not_found=count.quotes,
    )


def _first(seed: int, pair: Pair) -> Side:
    """Which response is shown as 1: a fair coin that is the same in every rerun."""
    return "a" if hashlib.sha256(f"{seed}\0{pair.prompt.id}".encode()).digest()[0] % 2 == 0 else "b"


def _difference(item: object, pair: Pair, first: Side, count: _Count) -> Difference:
    """One entry of the list; owner and sentences must be there, the rest may be missing."""
    owner = first if offered(entry(item, "shown_by"), get_args(Place)) == "1" else other_side(first)
    has, lacks = _sentence(entry(item, "has")), _sentence(entry(item, "lacks"))
    detail = functools.partial(_detail, item, count=count)
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
        quote_a=_quote(item, place_of_a, pair.a.text, count),
        quote_b=_quote(item, place_of_b, pair.b.text, count),
    )


def _sentence(value: object) -> str:
    """A sentence about `<MODEL>`, on one line.

    Raises:
        ReplyError: Not about `<MODEL>`, empty, too long, or about the place in which a response was shown, which means
            nothing outside this one question.
    """
    text = " ".join(value.split()) if isinstance(value, str) else ""
    if not text.startswith("<MODEL>") or len(_WORDS.findall(text)) < 3 or len(text) > LONGEST_SENTENCE:
        raise ReplyError("a sentence that is not about <MODEL>")
    if _PLACE_IN_SENTENCE.search(text):
        raise ReplyError("a sentence about the place of a response")
    return text


def _detail(item: object, name: str, labels: Sequence[Label], *, count: _Count) -> Label | None:
    try:
        return offered(entry(item, name), labels)
    except ReplyError:
        count.details += 1
        return None


def _label(item: object) -> str | None:
    value = item.get("label") if isinstance(item, dict) else None
    return " ".join(value.split())[:LONGEST_LABEL] or None if isinstance(value, str) else None


def _quote(item: object, place: str, response: str, count: _Count) -> str | None:
    """The quoted words as they stand in the response; whitespace may differ, nothing else."""
    value = item.get(f"quote_{place}") if isinstance(item, dict) else None
    words = value.split() if isinstance(value, str) else []
    if not words:
        return None
    # the LLM saw the defused text, in which every character stands at the same place
    found = re.search(r"\s+".join(map(re.escape, words)), fence(response).text)
    if found is None:
        count.quotes += 1
        return None
    return response[found.start() : found.end()]
