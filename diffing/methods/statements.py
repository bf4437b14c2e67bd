"""Sentences about `<MODEL>` that LLMs write, how they are checked, and how lists show them.

Every method that has an LLM write hypotheses reads them here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from diffing.structured_replies import ReplyError, entry
from diffing.types import Category

CATEGORIES: tuple[Category, ...] = get_args(Category)
LONGEST_BEHAVIOUR = 300
"""Longest sentence that is taken, in characters."""
LONGEST_CONDITION = 200
"""Longest condition that is taken, in characters."""
_PLACE = re.compile(r"\b(?:response|model) [12]\b", re.IGNORECASE)
_CONDITION_FIRST = re.compile(r"(?:when|whenever|if) (.+?), (<MODEL> .+)", re.IGNORECASE)
_WORDS = re.compile(r"\w+")


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


def statement_fields(statement: Statement) -> str:
    """The two fields of a line that say what a model does, and when."""
    return f"{field(statement.behaviour)} | {field(statement.condition) or '-'}"


def field(text: str, most: int | None = None) -> str:
    """A text as one field of a line: it can neither open a line nor another field.

    Args:
        text: Text from a user or a model.
        most: How many characters are shown.
    """
    shown = " ".join(text[: None if most is None else 4 * most].split()).replace("|", "¦")
    return shown if most is None or len(shown) <= most else f"{shown[:most]}…"


def _one_line(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""
