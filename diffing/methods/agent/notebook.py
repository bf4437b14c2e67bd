"""The notebook of an investigation: hypotheses with the prompts for and against them, as the LLM writes it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from diffing.methods.statements import CATEGORIES, Statement, read_statement, statement_fields
from diffing.structured_replies import ReplyError, entry, offered
from diffing.types import Category, Side, other_side

MOST_NOTES = 20
"""The most hypotheses in a notebook; the template says the same number."""
Status: TypeAlias = Literal["open", "keep", "drop"]
STATUSES: tuple[Status, ...] = get_args(Status)


@dataclass(frozen=True, slots=True)
class NotebookEntry:
    """One hypothesis of the notebook."""

    statement: Statement
    """What the model of `direction` does, and when."""
    direction: Side
    """The side that shows the behaviour."""
    category: Category
    """The category of the difference."""
    supporting: tuple[int, ...]
    """The numbers of the prompts on which only its side shows the behaviour."""
    contradicting: tuple[int, ...]
    """The numbers of the prompts on which only the other side shows it."""
    without: tuple[int, ...]
    """The numbers of the prompts that meet the condition and on which the models do not differ."""
    status: Status
    """What the LLM thinks of it."""

    def line(self, number: int, letters: "ModelLetters") -> str:
        """Its line in the notebook that the LLM sees."""
        lists = (("for", self.supporting), ("against", self.contradicting), ("neither", self.without))
        numbers = [f"{name}: {', '.join(map(str, listed)) or '-'}" for name, listed in lists]
        return " | ".join(
            [str(number), letters.letter(self.direction), statement_fields(self.statement), *numbers, self.status]
        )


@dataclass(frozen=True, slots=True)
class ModelLetters:
    """What the two models are called."""

    x: Side
    """The side that is called X."""

    def letter(self, side: Side) -> str:
        """What a side is called."""
        return "X" if side == self.x else "Y"

    def side(self, letter: str) -> Side:
        """The side that is called X or Y."""
        return self.x if letter == "X" else other_side(self.x)


def read_notes(items: Sequence[object], letters: ModelLetters, asked: int) -> tuple[tuple[NotebookEntry, ...], int]:
    """Reads the notebook of a reply.

    Args:
        items: The entries.
        letters: What the models are called.
        asked: How many prompts were asked so far; other numbers are not taken.

    Returns:
        The hypotheses that can be read, at most `MOST_NOTES`, and how many others there were.
    """
    notes = []
    for item in items:
        try:
            notes.append(_note(item, letters, range(1, asked + 1)))
        except ReplyError:
            continue
    kept = tuple(notes[:MOST_NOTES])
    return kept, len(items) - len(kept)


def _note(item: object, letters: ModelLetters, known: Collection[int]) -> NotebookEntry:
    """Reads one hypothesis; a number that stands in two of its lists says nothing and is in none.

    Raises:
        ReplyError: It has no usable sentence, model, category or status.
    """
    supporting, contradicting, without = (_numbers(entry(item, name), known) for name in ("for", "against", "neither"))
    return NotebookEntry(
        statement=read_statement(item),
        direction=letters.side(offered(entry(item, "model"), ("X", "Y"))),
        category=offered(entry(item, "category"), CATEGORIES),
        supporting=tuple(sorted(supporting - contradicting - without)),
        contradicting=tuple(sorted(contradicting - supporting - without)),
        without=tuple(sorted(without - supporting - contradicting)),
        status=offered(entry(item, "status"), STATUSES),
    )


def _numbers(value: object, known: Collection[int]) -> set[int]:
    """The numbers of a list that belong to prompts; everything else in it is ignored.

    Raises:
        ReplyError: It is no list.
    """
    if not isinstance(value, list):
        raise ReplyError("no list of numbers")
    return {each for each in value if isinstance(each, int) and not isinstance(each, bool) and each in known}
