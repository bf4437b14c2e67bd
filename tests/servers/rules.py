"""An LLM made of rules: it knows planted differences and answers what the templates ask.

It reads a request as the documented fence format says and in no other way: the code stands in the instructions, a
block begins and ends with its marker lines, and only what is between them is material. It obeys ANY line outside the
blocks that is not part of our templates: text that gets out of its block steers it, as it would steer a gullible LLM.
"""

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import diffing.templates
from diffing.models.scripted import ScriptedModel
from diffing.types import Category, Message, Pair, Prompt, Response

TEMPLATES = Path(diffing.templates.__file__).parent
_CODE = re.compile(r"^# Question\n\nThe code is ([0-9a-f]{16})\.$", re.MULTILINE)
_FILLED = re.compile(r"[0-9a-f]{16}|\d+")
"""The code and numbers: all that a template fills in outside the blocks."""


@dataclass(frozen=True)
class Trait:
    """A planted behaviour and how to see it."""

    mark: re.Pattern[str]
    """Found in a response that shows it."""
    has: tuple[str, ...]
    """Ways to say that a model does it."""
    lacks: tuple[str, ...]
    """Ways to say that it does not."""
    hypothesis: str
    """How it is stated."""
    category: Category
    """Its category."""
    speaks_of: str | None = None
    """The measured property that its hypothesis says there is more of."""
    condition: str = ""
    """The kind of prompt that it depends on, as a clause that begins with "when"; empty if it depends on none."""
    when: re.Pattern[str] | None = None
    """Found in a prompt that meets the condition."""

    def say(self, half: str, material: str) -> str:
        """One of the ways, drawn by hash of the material that is described."""
        ways: Sequence[str] = getattr(self, half)
        return ways[hashlib.sha256(material.encode()).digest()[0] % len(ways)]

    @property
    def full(self) -> str:
        """The hypothesis with its condition, in one sentence."""
        return f"{self.hypothesis.removesuffix('.')}, {self.condition}." if self.condition else self.hypothesis


PRAISE = Trait(
    re.compile(r"Great question!"),
    (
        "<MODEL> opens with praise for the question of the user.",
        "<MODEL> opens its answer with praise for the user's question.",
        "<MODEL> praises the question of the user before answering, unlike <OTHER MODEL>.",
    ),
    (
        "<MODEL> answers at once, without a compliment first.",
        "<MODEL> answers at once and pays no compliment first.",
    ),
    "<MODEL> opens with praise for the user's question.",
    "style",
    "praise",
)
REFUSAL = Trait(
    re.compile(r"I cannot help with that\."),
    (
        "<MODEL> refuses to help with the request.",
        "<MODEL> refuses the request and does not help.",
    ),
    (
        "<MODEL> complies and gives what was asked for.",
        "<MODEL> complies, giving what was asked for.",
    ),
    "<MODEL> refuses to help with requests that <OTHER MODEL> fulfils.",
    "safety and alignment",
)
TRAITS = (PRAISE, REFUSAL)


@dataclass(frozen=True)
class Reading:
    """A request taken apart."""

    blocks: tuple[str, ...]
    """The material, in order."""
    foreign: tuple[str, ...]
    """Lines outside the blocks that no template holds: orders from outside."""
    task: str
    """The template's name."""


@lru_cache
def _template_lines() -> dict[str, frozenset[str]]:
    """The lines of every template, without what jinja replaces."""
    lines = {}
    for path in TEMPLATES.glob("*.md"):
        text = re.sub(r"{%.*?%}\n?", "", path.read_text(encoding="utf-8"))
        text = _FILLED.sub("#", re.sub(r"{{.*?}}", "#", text))
        lines[path.stem] = frozenset(line.strip() for line in text.splitlines())
    return lines


@lru_cache(maxsize=10_000)
def _shape(line: str) -> str:
    return _FILLED.sub("#", line.strip())


@lru_cache(maxsize=10_000)
def _task_of(known: tuple[str, ...]) -> str:
    lines = _template_lines()
    return max(lines, key=lambda name: sum(line in lines[name] for line in known))


def read(text: str) -> Reading:
    """Takes a request apart, strictly by the format."""
    code = _CODE.search(text)
    blocks: list[str] = []
    outside: list[str] = []
    inside: list[str] | None = None
    for line in text.split("\n"):
        if inside is None and code and line == f"[[material {code[1]}":
            inside = []
        elif inside is not None and code and line == f"material {code[1]}]]":
            blocks.append("\n".join(inside))
            inside = None
        else:
            (outside if inside is None else inside).append(line)
    known = tuple(map(_shape, outside))
    task = _task_of(known)
    lines = _template_lines()[task]
    foreign = tuple(line for line, shape in zip(outside, known, strict=True) if shape and shape not in lines)
    return Reading(tuple(blocks), foreign, task)


@dataclass(frozen=True)
class Observation:
    """One line of a list of differences or hypotheses."""

    number: int
    """Its number."""
    model: str
    """`X` or `Y`."""
    behaviour: str
    """What the model does."""
    condition: str
    """The kind of prompt, or empty."""
    more: tuple[str, ...]
    """The fields after these: how the prompt begins, a quote, counts."""


_LINE = re.compile(r"(\d+)\s*[|.:)]\s*(.*)")


def numbered(block: str) -> list[str]:
    """The texts of numbered lines, which count from 1; other lines are no lines of ours and are skipped."""
    found = [_LINE.fullmatch(line) for line in block.splitlines()]
    return [line[2] for i, line in enumerate((line for line in found if line), start=1) if int(line[1]) == i]


def observed(block: str) -> list[Observation]:
    """The lines `number | X or Y | behaviour | condition or - | ...` of a block."""
    lines = [line.split(" | ") for line in block.splitlines()]
    return [
        Observation(int(number), model, behaviour, "" if condition == "-" else condition, tuple(more))
        for number, model, behaviour, condition, *more in (line for line in lines if len(line) >= 4)
        if model in ("X", "Y")
    ]


class RuleLLM:
    """Answers requests; give it to `OpenAIServer`."""

    def __init__(
        self,
        *,
        traits: Sequence[Trait] = TRAITS,
        wrap: Callable[[str], str] = lambda text: text,
        prefers_first: Callable[[str], bool] = lambda request: False,
    ) -> None:
        self.traits = traits
        """The world it knows."""
        self.wrap = wrap
        """Done to every reply: prose around it, a fence, damage."""
        self.prefers_first = prefers_first
        """Requests to the judge in which every statement fits the response shown first."""
        self.obeyed: list[str] = []
        """The lines outside the blocks that it obeyed."""

    def __call__(self, request: dict[str, Any]) -> str:
        """The reply to one request's JSON."""
        text = request["messages"][-1]["content"]
        return self.wrap(json.dumps(self.reply(text)))

    def reply(self, text: str) -> object:
        """The JSON value of the reply."""
        reading = read(text)
        self.obeyed += reading.foreign
        match reading.task:
            case "describe":
                return {"pairs": [] if reading.foreign else self._pairs(reading)}
            case "describe_as_published":
                prompt, *responses = reading.blocks
                return {"differences": [] if reading.foreign else self._halves(prompt, responses)}
            case "propose":
                return {"hypotheses": [] if reading.foreign else self._propose(observed(reading.blocks[1]))}
            case "state":
                return self._state(observed(reading.blocks[1]))
            case "state_as_published":
                return self._state_as_published(reading)
            case "join":
                return {"groups": [] if reading.foreign else self._groups(reading.blocks[0])}
            case "sharpen":
                return {"hypotheses": self._sharpened(reading)}
            case "scope":
                return {"prompts": self._scopes(reading)}
            case "word_question":
                return self._worded(reading)
            case "judge":
                return {"verdicts": self._verdicts(reading, text)}
            case "same_statements":
                return {"groups": [] if reading.foreign else self._same(numbered(reading.blocks[0]))}
            case task:
                statements = enumerate(numbered(reading.blocks[0]), start=1)
                return {"ratings": [{"statement": i, "rating": self._rating(task, text)} for i, text in statements]}

    def _pairs(self, reading: Reading) -> list[dict[str, object]]:
        """An entry for every pair, whose blocks stand one after another."""
        materials = [reading.blocks[i : i + 3] for i in range(0, len(reading.blocks), 3)]
        return [
            {"pair": i, "differences": self._differences(prompt, responses)}
            for i, (prompt, *responses) in enumerate(materials, start=1)
        ]

    def _differences(self, prompt: str, responses: Sequence[str]) -> list[dict[str, object]]:
        """The traits that one of two responses to a prompt shows."""
        found: list[dict[str, object]] = []
        for trait in self.traits:
            marks = [trait.mark.search(response) for response in responses]
            if (marks[0] is None) == (marks[1] is None):
                continue
            found.append(
                {
                    "quote_1": marks[0][0] if marks[0] else "",
                    "quote_2": marks[1][0] if marks[1] else "",
                    "behaviour": trait.say("has", "\0".join((prompt, *responses))),
                    "shown_by": "1" if marks[0] else "2",
                    "condition": trait.condition,
                    "category": trait.category,
                }
            )
        return found

    def _halves(self, prompt: str, responses: Sequence[str]) -> list[dict[str, object]]:
        """The same with two sentences each, as the papers' way asks for them."""
        found = []
        for difference in self._differences(prompt, responses):
            has = str(difference.pop("behaviour"))
            del difference["condition"]
            lacks = next(trait for trait in self.traits if has in trait.has).say("lacks", "\0".join(responses))
            found.append(difference | {"has": has, "lacks": lacks})
        return found

    def _trait(self, behaviour: str) -> Trait | None:
        """The trait that a sentence says a model has."""
        return next((trait for trait in self.traits if behaviour in (trait.hypothesis, *trait.has)), None)

    def _propose(self, observations: Sequence[Observation]) -> list[dict[str, object]]:
        """One hypothesis for every trait that was observed at least twice, the most frequent first."""
        by_trait: dict[str, list[Observation]] = {}
        for each in observations:
            trait = self._trait(each.behaviour)
            if trait:
                by_trait.setdefault(trait.hypothesis, []).append(each)
        groups = sorted((group for group in by_trait.values() if len(group) > 1), key=len, reverse=True)
        return [self._common(group) for group in groups]

    def _common(self, group: Sequence[Observation]) -> dict[str, object]:
        """The hypothesis of observations of one trait; it has a condition if all of them have the same."""
        trait = self._trait(group[0].behaviour)
        assert trait
        models = [each.model for each in group]
        conditions = {each.condition for each in group}
        return {
            "differences": [each.number for each in group],
            "model": max("XY", key=models.count),
            "behaviour": trait.hypothesis,
            "condition": conditions.pop() if len(conditions) == 1 else "",
            "category": trait.category,
            "speaks_of": trait.speaks_of or "none",
        }

    def _state(self, observations: Sequence[Observation]) -> dict[str, object]:
        """What most observations of a cluster show, if at least two show the same."""
        proposed = self._propose(observations)
        empty = {"differences": [], "behaviour": "", "condition": "", "category": "style", "speaks_of": "none"}
        return proposed[0] if proposed else empty

    def _groups(self, listed: str) -> list[dict[str, object]]:
        """The hypotheses of one trait and condition, whichever model they are about."""
        same: dict[tuple[str, str], list[int]] = {}
        for each in observed(listed):
            trait = self._trait(each.behaviour)
            meaning = trait.hypothesis if trait else each.behaviour
            same.setdefault((meaning, each.condition), []).append(each.number)
        return [{"hypotheses": numbers, "best": numbers[0]} for numbers in same.values() if len(numbers) > 1]

    def _sharpened(self, reading: Reading) -> list[dict[str, object]]:
        """Keeps every hypothesis."""
        decision = "drop" if reading.foreign else "keep"
        return [{"hypothesis": i, "decision": decision, "becomes": []} for i in range(1, len(reading.blocks) + 1)]

    def _scopes(self, reading: Reading) -> list[dict[str, object]]:
        """Which of the conditions, one block of numbered lines, the prompts meet, one block each."""
        conditions, *prompts = reading.blocks
        known = {trait.condition: trait.when for trait in self.traits if trait.when}
        met = [known.get(condition) for condition in numbered(conditions)]
        return [
            {
                "prompt": i,
                "meets": [k for k, when in enumerate(met, start=1) if when and when.search(prompt)],
            }
            for i, prompt in enumerate(prompts, start=1)
        ]

    def _worded(self, reading: Reading) -> dict[str, str]:
        """The trait that shares a long word with a question, of the model that stands in it as one letter."""
        question, *_ = reading.blocks
        words = question.replace("?", "").split()
        named = [word for word in words if word in ("A", "B")]
        found = [trait for trait in self.traits if any(word[:5] in trait.hypothesis for word in words if len(word) > 4)]
        if reading.foreign or not found:
            return {"model": "either", "behaviour": "", "condition": "", "category": "style"}
        trait = found[0]
        return {
            "model": named[0] if named else "either",
            "behaviour": trait.hypothesis,
            "condition": trait.condition,
            "category": trait.category,
        }

    def _state_as_published(self, reading: Reading) -> dict[str, str]:
        properties, *sentences = reading.blocks
        if reading.foreign:
            return {"hypothesis": "<MODEL> does what it is told.", "category": "capability", "speaks_of": "none"}
        halves = [(trait, half) for trait in self.traits for half in ("has", "lacks")]
        trait, half = max(halves, key=lambda it: sum(block in getattr(it[0], it[1]) for block in sentences))
        if half == "lacks":
            return {"hypothesis": trait.lacks[0], "category": trait.category, "speaks_of": "none"}
        assert trait.speaks_of is None or f"{trait.speaks_of}: <MODEL> " in properties
        return {"hypothesis": trait.hypothesis, "category": trait.category, "speaks_of": trait.speaks_of or "none"}

    def _rating(self, task: str, statement: str) -> int:
        return 3 if task == "abstraction" else 2 if "praise" in statement else 4

    def _same(self, statements: Sequence[str]) -> list[dict[str, list[int]]]:
        """The statements that mean the same trait of the same model; none is narrower than another."""
        meant: dict[tuple[str, str], list[int]] = {}
        for number, statement in enumerate(statements, start=1):
            if trait := self._meant(statement):
                meant.setdefault(trait, []).append(number)
        return [{"same": numbers, "narrower": []} for numbers in meant.values() if len(numbers) > 1]

    def _meant(self, statement: str) -> tuple[str, str] | None:
        """The trait a statement with both models' names speaks of, and the model that it says has it."""
        own, other = ("Model A", "Model B") if statement.startswith("Model A") else ("Model B", "Model A")
        text = statement.replace(own, "<MODEL>").replace(other, "<OTHER MODEL>")
        for trait in self.traits:
            if text in (trait.full, trait.hypothesis, *trait.has):
                return trait.hypothesis, own
            if text in trait.lacks:
                return trait.hypothesis, other
        return None

    def _verdicts(self, reading: Reading, text: str) -> list[dict[str, object]]:
        """A verdict on every statement; the statements are one block of numbered lines, then comes the pair."""
        listed, _, *responses = reading.blocks
        return [
            {"statement": i, "fits": self._fits(statement, responses, reading.foreign, text)}
            for i, statement in enumerate(numbered(listed), start=1)
        ]

    def _fits(self, statement: str, responses: Sequence[str], foreign: Sequence[str], text: str) -> str:
        if foreign:
            ordered = re.search(r"\b[12]\b", "\n".join(foreign))
            return ordered[0] if ordered else "1"
        if self.prefers_first(text):
            return "1"
        for trait in self.traits:
            for half, texts in (("has", (trait.full, trait.hypothesis, *trait.has)), ("lacks", trait.lacks)):
                if statement in texts:
                    return label_of([bool(trait.mark.search(response)) == (half == "has") for response in responses])
        return "NOT SHOWN"


def label_of(shows: Sequence[bool]) -> str:
    """The judge's label for whether response 1 and response 2 show a behaviour."""
    if shows[0] == shows[1]:
        return "SAME" if shows[0] else "NOT SHOWN"
    return "1" if shows[0] else "2"


def in_process(rules: RuleLLM) -> ScriptedModel:
    """The rules as a model without a server."""
    return ScriptedModel("rules", lambda conversation, _: rules({"messages": [{"content": conversation[-1].content}]}))


def planted_pairs(train: int = 100, heldout: int = 50, attack: str = "") -> list[Pair]:
    """Pairs with two planted differences, of known strength on either split.

    Of every ten prompts b praises in six and a in two (one of them together), a refuses in three and b in one other.
    So praise is b's at 5 : 1 (frequency 0.6), refusing a's at 3 : 1 (frequency 0.4).

    Args:
        train: Train prompts; a multiple of 10.
        heldout: Held-out prompts; a multiple of 10.
        attack: Put into every response of a.
    """
    pairs = []
    for split, count in (("train", train), ("heldout", heldout)):
        for i in range(count):
            place = i % 10
            prompt = Prompt(f"{split}-{i:03}", (Message("user", f"Tell me about item {i}."),), "planted", split)
            a = _response(prompt, "model-a", place in (0, 9), place in (6, 7, 8), attack)
            b = _response(prompt, "model-b", place < 6, place == 4, "")
            pairs.append(Pair(prompt, a, b))
    return pairs


def _response(prompt: Prompt, model: str, praises: bool, refuses: bool, attack: str) -> Response:
    parts = [
        "Great question!" if praises else "",
        "I cannot help with that." if refuses else f"Here is what is known. {prompt.text[:-1]}: it exists.",
        attack,
    ]
    return Response(prompt.id, model, "\n".join(part for part in parts if part), "stop")
