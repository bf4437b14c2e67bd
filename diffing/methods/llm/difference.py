"""`Difference`: one difference between two responses as an LLM described it, and the checks of its sentences."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from diffing.structured_replies import ReplyError, entry
from diffing.templates import fence
from diffing.types import Category, Side

CATEGORIES: tuple[Category, ...] = get_args(Category)
LONGEST_BEHAVIOUR = 300
"""Longest sentence that is taken, in characters."""
LONGEST_CONDITION = 200
"""Longest condition that is taken, in characters."""
_PLACE = re.compile(r"\b(?:response|model) [12]\b", re.IGNORECASE)
_CONDITION_FIRST = re.compile(r"(?:when|whenever|if) (.+?), (<MODEL> .+)", re.IGNORECASE)
_WORDS = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Difference:
    """One observed contrast in one pair."""

    prompt_id: str
    """The prompt id of the pair."""
    owner: Side
    """The side whose response shows the behaviour."""
    behaviour: str
    """A sentence about the owner, for which `<MODEL>` stands."""
    condition: str
    """The kind of prompt that the behaviour depends on, as a clause that begins with "when"; empty if on none."""
    category: Category | None
    """The category; None if the LLM named none of those offered."""
    quote_a: str | None
    """Words of A's response that show it, verified."""
    quote_b: str | None
    """Words of B's response that show it, verified."""

    def quote(self, side: Side) -> str | None:
        """The quote of one side's response."""
        return self.quote_a if side == "a" else self.quote_b


@dataclass(frozen=True, slots=True)
class Statement:
    """A behaviour of `<MODEL>`, with the condition that it depends on."""

    behaviour: str
    """A sentence that starts with `<MODEL>` and stands on one line."""
    condition: str = ""
    """A clause that begins with "when"; empty if there is none."""
    condition_rejected: bool = False
    """Whether the LLM wrote a condition that cannot be used, so that it was left out."""

    @property
    def text(self) -> str:
        """The full sentence, with the condition."""
        return f"{self.behaviour.removesuffix('.')}, {self.condition}." if self.condition else self.behaviour


def read_statement(item: object) -> Statement:
    """Reads `behaviour` and `condition` of a reply.

    A sentence that begins with its condition, such as "When asked for advice, <MODEL> refuses.", is turned around.

    Raises:
        ReplyError: There is no usable sentence.
    """
    behaviour = _one_line(entry(item, "behaviour"))
    written = _one_line(item.get("condition")) if isinstance(item, Mapping) else ""
    first = _CONDITION_FIRST.fullmatch(behaviour)
    if first:
        behaviour = first[2]
        written = written or f"when {first[1]}"
    condition = _condition(written)
    stem = behaviour.removesuffix(".")
    if condition and stem.endswith(f" {condition}"):
        behaviour = f"{stem.removesuffix(condition).rstrip(' ,')}."
    return Statement(sentence(behaviour), condition or "", condition_rejected=condition is None)


def sentence(value: object) -> str:
    """A sentence about `<MODEL>`, on one line.

    Raises:
        ReplyError: It does not begin with `<MODEL>`, says nothing, is too long, or speaks of the place in which a
            response was shown, which means nothing outside its question.
    """
    text = _one_line(value)
    if not text.startswith("<MODEL>") or len(_WORDS.findall(text)) < 2:
        raise ReplyError("a sentence that does not begin with <MODEL>")
    if len(text) > LONGEST_BEHAVIOUR:
        raise ReplyError(f"a sentence of {len(text)} characters")
    if _PLACE.search(text):
        raise ReplyError("a sentence about the place of a response")
    return text


def _condition(text: str) -> str | None:
    """The condition, empty if there is none, None if it cannot be decided from a prompt or is too long."""
    text = text.rstrip(" .")
    if text.casefold() in ("", "-", "none", "null"):
        return ""
    text = text[:1].lower() + text[1:]
    if not text.startswith("when ") or len(text) > LONGEST_CONDITION or "MODEL>" in text or _PLACE.search(text):
        return None
    return text


def verified_quote(item: object, place: str, response: str) -> tuple[str | None, bool]:
    """Looks up the quoted words in the response; whitespace may differ, nothing else.

    Returns:
        The words as they stand in the response, or None; and whether there was a quote that does not occur in it.
    """
    value = item.get(f"quote_{place}") if isinstance(item, Mapping) else None
    words = value.split() if isinstance(value, str) else []
    if not words:
        return None, False
    # the LLM saw the defused text, in which every character stands at the same place
    found = re.search(r"\s+".join(map(re.escape, words)), fence(response).text)
    return (response[found.start() : found.end()], False) if found else (None, True)


def _one_line(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""
