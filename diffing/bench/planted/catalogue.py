"""Loads the catalogue of behaviours that can be planted in a model, from `behaviours.toml`."""

import functools
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from diffing.errors import SettingError
from diffing.methods.lexical.parsed_response import is_measurable, read_pair
from diffing.methods.lexical.properties import BY_NAME
from diffing.methods.lexical.property_comparison import compare_property
from diffing.types import Category, Pair, Side, other_side

KINDS = (
    "style",
    "format",
    "refusal",
    "sycophancy",
    "hedging",
    "persona",
    "topic stance",
    "language",
    "reasoning habit",
    "error pattern",
    "safety-relevant advice",
    "self-description",
)
"""The kinds of behaviours; each occurs in the catalogue at least twice."""


@dataclass(frozen=True, slots=True)
class PlantableBehaviour:
    """A behaviour that can be planted in a model, with patterns that recognise it in responses."""

    id: str
    """The short name."""
    kind: str
    """One of `KINDS`."""
    category: Category
    """The category, one of the seven of hypotheses."""
    sentence: str
    """A sentence that is true of the model with the behaviour; it starts with `<MODEL>`."""
    instruction: str
    """The system prompt that plants the behaviour."""
    mark: re.Pattern[str] | None
    """A pattern that recognises the behaviour in a response; None if no pattern can."""
    properties: tuple[str, ...]
    """The measured properties that the behaviour increases, or decreases (`-words`)."""
    phrases: re.Pattern[str] | None
    """A pattern for words and phrases, in lower case, that a method may measure and that show the behaviour."""

    @property
    def measurable(self) -> bool:
        """Whether a response can be checked for the behaviour without an LLM."""
        return self.mark is not None or bool(self.properties)

    def more_of(self, side: Side) -> frozenset[tuple[str, Side]]:
        """Returns the affected properties, each with the side that has more of it if `side` has the behaviour."""
        return frozenset(
            (name.removeprefix("-"), other_side(side) if name.startswith("-") else side) for name in self.properties
        )

    def shown_by(self, pair: Pair, side: Side) -> bool | None:
        """Tells whether only the given side shows the behaviour; None if it cannot be measured."""
        if self.mark is not None:
            shows = self.mark.search(pair.response(side).text) is not None
            return shows and self.mark.search(pair.response(other_side(side)).text) is None
        if not self.properties:
            return None
        name = self.properties[0]
        more = other_side(side) if name.startswith("-") else side
        if not is_measurable(pair):
            return False
        verdict, _, _ = next(iter(compare_property(BY_NAME[name.removeprefix("-")], [read_pair(pair)])))
        return verdict.side == more


@functools.cache
def catalogue() -> tuple[PlantableBehaviour, ...]:
    """Returns all behaviours, grouped by kind, in the order of the file."""
    text = files("diffing.bench.planted").joinpath("behaviours.toml").read_text(encoding="utf-8")
    entries = tomllib.loads(text)
    return tuple(
        PlantableBehaviour(
            id=name,
            kind=entry["kind"],
            category=entry["category"],
            sentence=entry["sentence"],
            instruction=entry["instruction"],
            mark=re.compile(entry["mark"]) if "mark" in entry else None,
            properties=tuple(entry.get("properties", ())),
            phrases=re.compile(entry["phrases"]) if "phrases" in entry else None,
        )
        for name, entry in entries.items()
    )


def select_behaviours(ids: Sequence[str]) -> tuple[PlantableBehaviour, ...]:
    """Returns the behaviours with these ids or kinds, in the catalogue's order; all of them if `ids` is empty.

    Raises:
        SettingError: There is no such behaviour or kind.
    """
    known = {behaviour.id for behaviour in catalogue()}
    unknown = [name for name in ids if name not in known and name not in KINDS]
    if unknown:
        raise SettingError(
            f"--plant is {unknown[0]!r:.60}: expected a kind ({', '.join(KINDS)}) or one of {', '.join(sorted(known))}"
        )
    return tuple(each for each in catalogue() if not ids or each.id in ids or each.kind in ids)
