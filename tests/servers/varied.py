"""An LLM of rules that describes differences in varied words, forgets some, and adds impressions that mean nothing.

What it writes is drawn from the pair that it reads, so it does not depend on the order of the questions, and two
sentences about one property share few words. It understands its own sentences by looking them up, as a good reader
understands them by their meaning. It reads requests by the fence format only (`tests.servers.rules.read`).
"""

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from math import ceil
from typing import Any, TypeAlias

from diffing.models.scripted import ScriptedModel
from diffing.types import Completion, Conversation
from tests.servers.rules import Reading, read
from tests.servers.varied_words import NOISE, PROPERTIES, TOPICS, VariedProperty

Meaning: TypeAlias = tuple[str, str]
"""(the name of a property or impression, `has`, `lacks` or `noise`)."""
Conditional: TypeAlias = tuple[Meaning, str]
"""What is said, and the condition; without one, an empty string."""
LINE = re.compile(r"^(\d+)\b(?: \|)?(.*)$")
CONDITIONS: Mapping[str, re.Pattern[str]] = {
    "when asked a question": re.compile(r"\?"),
    "when asked to write something": re.compile(r"\b(?:write|compose|draft|create)", re.IGNORECASE),
    "when the request is short": re.compile(r"\A.{1,70}\Z", re.DOTALL),
}
"""Conditions on prompts that it may name, and how it sees that a prompt meets them."""
SIDE = re.compile(r"\| *([XY]) *\|")


def draw(*parts: str) -> int:
    """A number from 0 to 2**32, drawn by hash."""
    return int.from_bytes(hashlib.sha256("\0".join(parts).encode()).digest()[:4], "big")


def share(*parts: str) -> float:
    """A number from 0 to 1, drawn by hash."""
    return draw(*parts) / 2**32


@lru_cache
def _phrases() -> Mapping[str, Meaning]:
    said = {
        phrase: (each.name, half) for each in PROPERTIES for half in ("has", "lacks") for phrase in getattr(each, half)
    }
    return said | {phrase: (phrase, "noise") for phrase in NOISE}


@lru_cache(maxsize=100_000)
def meaning_of(text: str) -> Meaning | None:
    """What a sentence says: that of the longest phrase in it; None if it holds none."""
    held = [phrase for phrase in _phrases() if phrase in text]
    return _phrases()[max(held, key=len)] if held else None


class VariedLLM:
    """Answers requests; give it to `OpenAIServer`.

    Args:
        properties: Those that it sees.
        forgets: The share of differences that it does not mention.
        reversed_: The share of differences that it describes from the side that lacks the property.
        topical: The share of sentences with a topic mixed in.
        impressions: The share of pairs with an impression that means nothing.
        wordings: The number of wordings of each half that it uses.
        conditions: The share of differences that it ties to a condition, one that the prompt meets.
    """

    def __init__(
        self,
        properties: Sequence[VariedProperty] = PROPERTIES,
        *,
        forgets: float = 0.3,
        reversed_: float = 0.3,
        topical: float = 0.4,
        impressions: float = 0.4,
        wordings: int = 12,
        conditions: float = 0.0,
    ) -> None:
        self.properties = properties
        self._wordings = wordings
        self._conditions = conditions
        self._shares = {"forgets": forgets, "reversed": reversed_, "topical": topical, "impressions": impressions}

    def __call__(self, request: dict[str, Any]) -> str:
        """The reply to one request's JSON."""
        return json.dumps(self.reply(request["messages"][-1]["content"]))

    @cached_property
    def _by_name(self) -> Mapping[str, VariedProperty]:
        return {each.name: each for each in self.properties}

    def reply(self, text: str) -> object:
        """The JSON value of the reply."""
        reading = read(text)
        answer = getattr(self, f"_{reading.task}", self._rate)
        return answer(reading, text)

    def _rate(self, reading: Reading, text: str) -> object:
        if '"ratings"' not in text:  # as it was asked of one statement alone
            return {"rating": 3}
        return {"ratings": [{"statement": i, "rating": 3} for i, _ in _lines(reading.blocks[0])]}

    # describing

    def _describe(self, reading: Reading, text: str) -> object:
        if '{"differences": [' in text:  # as it was asked before several pairs went into one question
            return self._describe_as_published(reading, text)
        pairs = [reading.blocks[i : i + 3] for i in range(0, len(reading.blocks), 3)]
        return {
            "pairs": [
                {"pair": i, "differences": [self._one_half(each, pair[0]) for each in self._seen(*pair)]}
                for i, pair in enumerate(pairs, start=1)
            ]
        }

    def _describe_as_published(self, reading: Reading, text: str) -> object:
        prompt, one, two = reading.blocks
        return {"differences": [self._halves(each) for each in self._seen(prompt, one, two)]}

    def _seen(self, prompt: str, one: str, two: str) -> list[dict[str, str]]:
        """What it notices in a pair: the property, which response shows it, quotes and both sentences."""
        pair = "\n".join(sorted((one, two)))
        found = []
        for each in self.properties:
            marks = [each.mark.search(response) for response in (one, two)]
            if (marks[0] is None) != (marks[1] is None) and share("forgets", each.name, pair) >= self._shares[
                "forgets"
            ]:
                quotes = [mark[0].strip() if mark else "" for mark in marks]
                found.append(self._said(each.name, each.category, each.has, each.lacks, quotes, pair))
        if one != two and share("impression", pair) < self._shares["impressions"]:
            phrase = NOISE[draw("which", pair) % len(NOISE)]
            first = self._ascribed(phrase, one, two)
            quotes = [one[:20] if first else "", "" if first else two[:20]]
            found.append(self._said(phrase, "style", (phrase,), ("is quite ordinary in this",), quotes, pair))
        return found

    def _said(
        self, name: str, category: str, has: Sequence[str], lacks: Sequence[str], quotes: Sequence[str], pair: str
    ) -> dict[str, str]:
        return {
            "shown_by": "1" if quotes[0] else "2",
            "has": self._sentence(has[draw("has", name, pair) % min(self._wordings, len(has))], pair),
            "lacks": self._sentence(lacks[draw("lacks", name, pair) % min(self._wordings, len(lacks))], pair),
            "category": category,
            "quote_1": quotes[0],
            "quote_2": quotes[1],
            "half": "lacks"
            if name not in NOISE and share("reversed", name, pair) < self._shares["reversed"]
            else "has",
        }

    def _sentence(self, phrase: str, pair: str) -> str:
        place = share("topic", phrase, pair)
        topic = TOPICS[draw("topics", phrase, pair) % len(TOPICS)]
        if place >= self._shares["topical"]:
            return f"<MODEL> {phrase}."
        return f"<MODEL> {phrase} {topic}." if place < self._shares["topical"] / 2 else f"<MODEL>, {topic}, {phrase}."

    @staticmethod
    def _ascribed(phrase: str, one: str, two: str) -> bool:
        """Whether it has the impression of the first response: a coin that knows nothing of the order."""
        return (draw(phrase, min(one, two), max(one, two)) % 2 == 0) == (one < two)

    @staticmethod
    def _halves(seen: Mapping[str, str]) -> dict[str, object]:
        """As a difference with both sentences is written, with all the fields that were ever asked for."""
        rest = {"label": "seen", "scope": "general", "impact": "medium", "serves": "experience"}
        return {
            **{key: value for key, value in seen.items() if key != "half"},
            **rest,
            "error": False,
            "unexpected": False,
        }

    def _one_half(self, seen: Mapping[str, str], prompt: str) -> dict[str, str]:
        """As a difference with one sentence is written: now and then of the side that lacks it."""
        shown_by = seen["shown_by"] if seen["half"] == "has" else "21"[int(seen["shown_by"]) - 1]
        return {
            "quote_1": seen["quote_1"],
            "quote_2": seen["quote_2"],
            "behaviour": seen[seen["half"]],
            "shown_by": shown_by,
            "condition": self._condition(seen["has"], prompt),
            "category": seen["category"],
        }

    def _condition(self, said: str, prompt: str) -> str:
        met = [condition for condition, mark in CONDITIONS.items() if mark.search(prompt)]
        named = met and share("condition", said, prompt) < self._conditions
        return met[draw("which condition", said, prompt) % len(met)] if named else ""

    # stating

    def _state(self, reading: Reading, text: str) -> object:
        groups = self._grouped(reading)
        if not groups:  # sentences alone, as it was asked before
            return self._state_as_published(reading, text)
        common = max(groups, key=lambda each: len(groups[each]))
        if len(groups[common]) < 2:
            return {"differences": [], "behaviour": "", "condition": "", "category": "style", "speaks_of": "none"}
        return self._proposed(common, groups[common])

    def _state_as_published(self, reading: Reading, text: str) -> object:
        """What at least half of the sentences of a group say; nothing can be read if they say different things."""
        said = [
            meaning_of(line) for block in reading.blocks for line in block.splitlines() if line.startswith("<MODEL>")
        ]
        known = [each for each in said if each is not None]
        common = max(known, key=known.count, default=None)
        if common is None or known.count(common) * 2 < len(said):
            return {"hypothesis": "", "category": "style", "speaks_of": "none"}
        return {"hypothesis": self._stated(common), "category": self._category(common), "speaks_of": "none"}

    def _stated(self, meaning: Meaning) -> str:
        name, half = meaning
        return f"<MODEL> {name if half == 'noise' else getattr(self._by_name[name], half)[0]}."

    def _category(self, meaning: Meaning) -> str:
        return "style" if meaning[1] == "noise" else self._by_name[meaning[0]].category

    def _propose(self, reading: Reading, text: str) -> object:
        groups = self._grouped(reading)
        return {"hypotheses": [self._proposed(common, lines) for common, lines in groups.items() if len(lines) > 1]}

    @staticmethod
    def _grouped(reading: Reading) -> dict[Conditional, list[tuple[int, str]]]:
        """The observations by what they say and under which condition: the number and side of each."""
        groups: dict[Conditional, list[tuple[int, str]]] = defaultdict(list)
        for number, line in _numbered(reading, "| <MODEL>"):
            meaning, side = meaning_of(line), SIDE.search(line)
            if meaning is not None and side:
                groups[meaning, _condition_in(line)].append((number, side[1]))
        return groups

    def _proposed(self, common: Conditional, lines: Sequence[tuple[int, str]]) -> dict[str, object]:
        meaning, condition = common
        sides = [side for _, side in lines]
        return {
            "differences": [number for number, _ in lines],
            "model": max("XY", key=sides.count),
            "behaviour": self._stated(meaning),
            "condition": condition,
            "category": self._category(meaning),
            "speaks_of": "none",
        }

    def _join(self, reading: Reading, text: str) -> object:
        groups: dict[Conditional, list[int]] = defaultdict(list)
        for number, line in _numbered(reading, "<MODEL>"):
            if (meaning := meaning_of(line)) is not None:
                groups[meaning, _condition_in(line)].append(number)
        same = [numbers for numbers in groups.values() if len(numbers) > 1]
        return {"groups": [{"hypotheses": numbers, "best": numbers[0]} for numbers in same]}

    def _sharpen(self, reading: Reading, text: str) -> object:
        count = len(reading.blocks)
        return {"hypotheses": [{"hypothesis": i, "decision": "keep", "becomes": []} for i in range(1, count + 1)]}

    def _scope(self, reading: Reading, text: str) -> object:
        listed, *prompts = reading.blocks
        marks = {i: CONDITIONS.get(condition.lstrip(". |")) for i, condition in _lines(listed)}
        met = [[i for i, mark in marks.items() if mark and mark.search(prompt)] for prompt in prompts]
        return {"prompts": [{"prompt": i, "meets": numbers} for i, numbers in enumerate(met, start=1)]}

    # judging

    def _judge(self, reading: Reading, text: str) -> object:
        if "NOT SHOWN" not in text:  # each statement in a block of its own, last
            _, one, two, *statements = reading.blocks
            said = list(enumerate(statements, start=1))
        else:
            listed, _, one, two = reading.blocks
            said = _lines(listed)
        old = "NOT SHOWN" not in text
        verdicts = [(i, self._fits(statement, one, two)) for i, statement in said]
        return {
            "verdicts": [
                {"statement": i, "fits": "N/A" if old and fits[0] not in "12" else fits} for i, fits in verdicts
            ]
        }

    def _fits(self, statement: str, one: str, two: str) -> str:
        meaning = meaning_of(statement)
        if meaning is None:
            return "NOT SHOWN"
        name, half = meaning
        if half == "noise":
            place = share("noise", name, min(one, two), max(one, two))
            return "NOT SHOWN" if one == two or place > 0.4 else "1" if self._ascribed(name, one, two) else "2"
        shows = [bool(self._by_name[name].mark.search(response)) == (half == "has") for response in (one, two)]
        if shows[0] != shows[1]:
            return "1" if shows[0] else "2"
        return "SAME" if shows[0] and half == "has" else "NOT SHOWN"

    def _same_statement(self, reading: Reading, text: str) -> object:
        one, two = (self._claim(statement) for statement in reading.blocks)
        return {"same": "yes" if one is not None and one == two else "no"}

    def _same_statements(self, reading: Reading, text: str) -> object:
        groups: dict[tuple[str, bool] | None, list[int]] = defaultdict(list)
        for number, statement in _lines(reading.blocks[0]):
            groups[self._claim(statement.lstrip(". |"))].append(number)
        same = [numbers for claim, numbers in groups.items() if claim is not None and len(numbers) > 1]
        return {"groups": [{"same": numbers, "narrower": []} for numbers in same]}

    @staticmethod
    def _claim(statement: str) -> tuple[str, bool] | None:
        """The property, and whether the statement says that Model A has it."""
        meaning = meaning_of(statement)
        if meaning is None:
            return None
        return meaning[0], statement.startswith("Model A") == (meaning[1] != "lacks")


def _lines(block: str) -> list[tuple[int, str]]:
    """The numbered lines of a block."""
    return [(int(found[1]), found[2]) for line in block.splitlines() if (found := LINE.match(line))]


def _condition_in(line: str) -> str:
    """The condition in a line of a list; empty if there is none."""
    return next((field for field in line.split(" | ") if field in CONDITIONS), "")


def _numbered(reading: Reading, held: str) -> list[tuple[int, str]]:
    """The numbered lines of the block that has most lines with a text in them."""
    block = max(reading.blocks, key=lambda each: each.count(held), default="")
    return [(int(found[1]), line) for line in block.splitlines() if held in line and (found := LINE.match(line))]


def in_process(rules: VariedLLM) -> ScriptedModel:
    """The rules as a model without a server; a token is four characters of the question or the reply."""

    def answer(conversation: Conversation, _: object) -> Completion:
        question = conversation[-1].content
        text = json.dumps(rules.reply(question))
        return Completion(text, "stop", prompt_tokens=ceil(len(question) / 4), completion_tokens=ceil(len(text) / 4))

    return ScriptedModel("varied", answer)
