"""`ProposedHypothesis`, a hypothesis of an LLM with the differences behind it; parses replies that propose some."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from diffing.methods.llm.difference import Difference
from diffing.methods.statements import CATEGORIES, Statement, read_statement
from diffing.structured_replies import ReplyError, entry, offered
from diffing.types import Category, Side, Verdict, other_side

NO_PROPERTY = "none"


@dataclass(frozen=True, slots=True)
class ProposedHypothesis:
    """A hypothesis, while it is worked on."""

    statement: Statement
    """What it says of the model of `direction`."""
    direction: Side
    """The side that shows the behaviour on more pairs."""
    category: Category
    """The category of the difference."""
    speaks_of: str | None
    """See `Hypothesis.speaks_of`."""
    differences: tuple[int, ...]
    """Indices of the differences that carry it: those in which either side shows the behaviour."""
    before: str | None = None
    """The sentence that it was before it was sharpened; None if it was not changed."""

    def verdicts(self, differences: Sequence[Difference]) -> dict[str, Verdict]:
        """What the differences that carry it say of their pairs, by prompt id."""
        owners: dict[str, set[Side]] = {}
        for index in self.differences:
            owners.setdefault(differences[index].prompt_id, set()).add(differences[index].owner)
        return {
            prompt_id: Verdict.SAME if len(sides) == 2 else Verdict.A if "a" in sides else Verdict.B
            for prompt_id, sides in owners.items()
        }

    def pairs_of(self, side: Side, differences: Sequence[Difference]) -> int:
        """The number of pairs on which only this side shows the behaviour."""
        return sum(verdict.side == side for verdict in self.verdicts(differences).values())

    def carried_by(self, indices: Collection[int], differences: Sequence[Difference]) -> "ProposedHypothesis":
        """The same hypothesis with other differences; its direction is that of the majority of their pairs."""
        changed = replace(self, differences=tuple(sorted(set(indices))))
        ahead = changed.pairs_of("a", differences) - changed.pairs_of("b", differences)
        return changed if ahead == 0 else replace(changed, direction="a" if ahead > 0 else "b")

    def train_effect(self, differences: Sequence[Difference], pairs: int) -> float:
        """(pairs on which its side shows the behaviour - pairs on which the other does) / `pairs`."""
        side = self.direction
        return (self.pairs_of(side, differences) - self.pairs_of(other_side(side), differences)) / pairs


def read_proposal(
    item: object, named: Side, shown: Collection[int], properties: Collection[str], differences: Sequence[Difference]
) -> ProposedHypothesis:
    """Reads one hypothesis of a reply.

    Args:
        item: The entry, with `differences`, `behaviour`, `condition`, `category` and `speaks_of`.
        named: The side that the reply names; the majority of the differences may correct it.
        shown: Indices of the differences that the question showed; others are not taken.
        properties: Names of the measured properties.
        differences: All differences.

    Raises:
        ReplyError: It has no usable sentence or category, or none of the differences shown carries it.
    """
    carrying = read_numbers(entry(item, "differences"), shown)
    if not carrying:
        raise ReplyError("a hypothesis that no difference carries")
    statement, category = read_statement(item), offered(entry(item, "category"), CATEGORIES)
    proposal = ProposedHypothesis(statement, named, category, read_property(item, properties), carrying)
    return proposal.carried_by(carrying, differences)


def read_numbers(value: object, shown: Collection[int]) -> tuple[int, ...]:
    """The indices that belong to numbers in a reply, as far as these were shown.

    Raises:
        ReplyError: It is no list.
    """
    if not isinstance(value, list):
        raise ReplyError("no list of numbers")
    numbers = {str(each).strip() for each in value if isinstance(each, int | str)}
    return tuple(sorted(index for index in shown if str(index + 1) in numbers))


def read_property(value: object, properties: Collection[str]) -> str | None:
    """The property that a reply names; None if it names none, or none that is measured."""
    try:
        return offered(entry(value, "speaks_of"), properties)
    except ReplyError:
        return None


def statement_schema(properties: Collection[str]) -> Mapping[str, object]:
    """The JSON schemas of the fields that say what a hypothesis is."""
    return {
        "behaviour": {"type": "string"},
        "condition": {"type": "string"},
        "category": {"type": "string", "enum": list(CATEGORIES)},
        "speaks_of": {"type": "string", "enum": [*properties, NO_PROPERTY]},
    }


NUMBERS: Mapping[str, object] = {"type": "array", "items": {"type": "integer"}}
"""The JSON schema of a list of numbers."""


def object_schema(properties: Mapping[str, object]) -> dict[str, object]:
    """The JSON schema of an object that has exactly these fields, in this order."""
    return {"type": "object", "properties": dict(properties), "required": [*properties], "additionalProperties": False}


def list_schema(name: str, items: Mapping[str, object]) -> dict[str, object]:
    """The JSON schema of an object whose only field is a list of objects with these fields."""
    return object_schema({name: {"type": "array", "items": object_schema(items)}})
