"""The catalogue of behaviours that can be planted, as written in `behaviours.toml`. Knows no model and no run."""

import functools
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from diffing.errors import SettingError
from diffing.methods.lexical.parsed_response import is_measurable, read_pair
from diffing.methods.lexical.properties import BY_NAME
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
"""Every kind is in the catalogue at least twice."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Something that a model can be made to do, and how it is recognised."""

    id: str
    """Short name."""
    kind: str
    """One of `KINDS`."""
    category: Category
    """Its category, one of those that hypotheses have."""
    sentence: str
    """What is true of the model that has it; starts with `<MODEL>`."""
    instruction: str
    """Plants it, as a system prompt."""
    mark: re.Pattern[str] | None
    """Recognises it in a response; None where no pattern can."""
    properties: tuple[str, ...]
    """Measured properties of which it makes more, or less (`-words`)."""
    words: re.Pattern[str]
    """Found in sentences, in lower case, that name it."""
    phrases: re.Pattern[str] | None
    """Found in words and phrases, in lower case, that show it."""

    @property
    def measurable(self) -> bool:
        """Whether anything but an LLM can tell that a response shows it."""
        return self.mark is not None or bool(self.properties)

    def more_of(self, side: Side) -> frozenset[tuple[str, Side]]:
        """Per property, the side that has more of it where `side` has the behaviour."""
        return frozenset(
            (name.removeprefix("-"), other_side(side) if name.startswith("-") else side) for name in self.properties
        )

    def shown_by(self, pair: Pair, side: Side) -> bool | None:
        """Whether one side shows it and the other does not; None where no measure can tell."""
        if self.mark is not None:
            shows = self.mark.search(pair.response(side).text) is not None
            return shows and self.mark.search(pair.response(other_side(side)).text) is None
        if not self.properties:
            return None
        name = self.properties[0]
        more = other_side(side) if name.startswith("-") else side
        return is_measurable(pair) and BY_NAME[name.removeprefix("-")].compare(read_pair(pair)).verdict.side == more


@functools.cache
def catalogue() -> tuple[Behaviour, ...]:
    """All behaviours, kinds together, in the order of the file."""
    text = files("diffing.bench.planted").joinpath("behaviours.toml").read_text(encoding="utf-8")
    entries = tomllib.loads(text)
    return tuple(
        Behaviour(
            id=name,
            kind=entry["kind"],
            category=entry["category"],
            sentence=entry["sentence"],
            instruction=entry["instruction"],
            mark=re.compile(entry["mark"]) if "mark" in entry else None,
            properties=tuple(entry.get("properties", ())),
            words=re.compile(entry["words"]),
            phrases=re.compile(entry["phrases"]) if "phrases" in entry else None,
        )
        for name, entry in entries.items()
    )


def chosen(ids: Sequence[str]) -> tuple[Behaviour, ...]:
    """The behaviours of these ids or kinds, in the order of the catalogue; all where none is named.

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
