"""The stand-in for an LLM in one of the examples: rules that know the demo pair's differences by their marks.

It is made imperfect on purpose, so that clusters, verdicts and checks of the judge have something to show: it overlooks
some differences, mentions what both models do by chance, and misreads a share of the verdicts. What it does is drawn by
hash of the request: the same request gets the same reply.
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from diffing.methods.lexical.properties import PROPERTIES
from diffing.models.scripted import ScriptedModel
from tests.benchmarks.demo import GROUND_TRUTH
from tests.servers.rules import RuleLLM, Trait

OVERLOOKS = 0.1
"""Share of the differences that it does not mention."""


@dataclass(frozen=True, kw_only=True)
class Known(Trait):
    """A behaviour with the ratings that its hypothesis gets."""

    interesting: int
    """1 to 5."""
    abstract: int
    """1 to 5."""


MEASURED = {
    "greetings": "greeting",
    "emoji": "emoji",
    "praise": "praise",
    "numbered_lists": "list",
    "ends_with_question": "ask-back",
}
"""Measured properties that are the same as a behaviour, by their names."""
SENTENCES = {measured.sentence: measured.name for measured in PROPERTIES}
"""The properties by what the lexical method says of them."""

RATED = {
    "apologies": (2, 3),
    "disclaimers": (3, 3),
    "first_person": (2, 3),
    "hedges": (3, 3),
    "offers": (3, 3),
    "refusals": (4, 4),
    "second_person": (2, 3),
}
"""How other measured properties are rated, where they are more than a matter of taste and surface."""


@cache
def behaviours() -> dict[str, Known]:
    """All that it knows, by name, the planted differences first."""
    told = tomllib.loads((Path(__file__).parent / "behaviours.toml").read_text(encoding="utf-8"))
    listed = json.loads(GROUND_TRUTH.read_text(encoding="utf-8"))["planted"]
    marks = {entry["id"]: entry["pattern"] for entry in listed}
    return {
        name: _known(entry, entry.get("mark") or marks[name])
        for name, entry in (told["planted"] | told["by_chance"]).items()
    }


def _known(entry: Mapping[str, Any], mark: str) -> Known:
    has, lacks = (tuple(f"<MODEL> {each}." for each in entry[half]) for half in ("has", "lacks"))
    interesting, abstract = entry["ratings"]
    of_all = (re.compile(mark), has, lacks, has[0], entry["category"], entry.get("speaks_of"))
    return Known(*of_all, interesting=interesting, abstract=abstract)


class StandIn(RuleLLM):
    """Describes, states, judges, rates and matches by rules.

    Args:
        name: Others of another name misread other verdicts and rate otherwise.
        misreads: Share of the verdicts that it misreads.
    """

    def __init__(self, name: str, misreads: float) -> None:
        super().__init__(traits=tuple(behaviours().values()))
        self.name = name
        self.misreads = misreads

    @property
    def model(self) -> ScriptedModel:
        """As a model; its id says that it is none."""
        return ScriptedModel(
            self.name, lambda conversation, _: self({"messages": [{"content": conversation[-1].content}]})
        )

    def _meant(self, statement: str) -> tuple[str, str] | None:
        """As of its own sentences, and what the lexical method says of a property that is the same as a behaviour."""
        sentence = statement.replace(statement[: len("Model A")], "<MODEL>")
        behaviour = MEASURED.get(SENTENCES.get(sentence, ""))
        if behaviour:
            return behaviours()[behaviour].hypothesis, statement[: len("Model A")]
        return super()._meant(statement)

    @cached_property
    def _written(self) -> dict[str, Known]:
        """Every sentence that it may write."""
        return {said: trait for trait in behaviours().values() for said in (*trait.has, *trait.lacks)}

    def _rating(self, task: str, statement: str) -> int:
        """As in the tables, or one lower or higher."""
        own = self._ratings(statement)[0 if task == "interestingness" else 1]
        drawn = self._draw(f"{task} {statement}")
        return min(5, max(1, own + (drawn > 0.85) - (drawn < 0.15)))

    def _ratings(self, statement: str) -> tuple[int, int]:
        """Interestingness and abstraction: of what it has written itself, of a mere phrase, of a measured property."""
        measured = SENTENCES.get(statement, "")
        known = self._written.get(statement) or behaviours().get(MEASURED.get(measured, ""))
        if known:
            return known.interesting, known.abstract
        return (1, 1) if "«" in statement else RATED.get(measured, (2, 2))

    def _differences(self, prompt: str, responses: Sequence[str]) -> list[dict[str, object]]:
        found = super()._differences(prompt, responses)
        material = "\0".join((prompt, *responses))
        return [each for each in found if self._draw(f"{each['behaviour']} {material}") >= OVERLOOKS]

    def _fits(self, statement: str, responses: Sequence[str], foreign: Sequence[str], text: str) -> str:
        fits = super()._fits(statement, responses, foreign, text)
        drawn = self._draw(f"{statement} {text}") / self.misreads
        others = [label for label in ("1", "2", "NOT SHOWN") if label != fits]
        return others[int(2 * drawn)] if drawn < 1 else fits

    def _draw(self, what: str) -> float:
        """Evenly from 0 to 1, by hash."""
        digest = hashlib.sha256(f"{self.name}\0{what}".encode()).digest()
        return int.from_bytes(digest[:8], "big") / 2**64
