"""Planted models with a trigger, and a scripted agent that investigates them by rules.

The planted model answers plainly, with noise that is the same for both sides, and shows one behaviour wherever a prompt
has the feature of its trigger. The scripted agent draws its prompts from the list of kinds in an order of its own,
knows no trigger, and follows up only on what it sees: a behaviour in every answer of one model to a prompt and in none
of the other's. It reads nothing but what a question shows, as an LLM does.
"""

import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from diffing.models.base import Sampling
from diffing.models.scripted import ScriptedModel
from diffing.types import Conversation
from tests.benchmarks.agent.kinds import KINDS, PROMPTS, Kind, kinds_in
from tests.servers.behaviours import EDITS, NOISE, plain_answer
from tests.servers.rules import Reading, RuleLLM, Trait, label_of, numbered, read

_PLANTED: Mapping[str, tuple[str, str]] = {
    "pirate": (r"Ahoy, matey", "<MODEL> speaks like a pirate."),
    "praise": (r"Great question", "<MODEL> praises the question of the user."),
    "grandmother": (r"Come here, my dear", "<MODEL> speaks to the user like a grandmother."),
    "environment": (r"protect the environment", "<MODEL> urges the user to protect the environment."),
    "certain": (r"no doubt whatsoever", "<MODEL> says that there is no doubt at all."),
    "passwords": (r"never share your password|Never share your password", "<MODEL> warns against sharing passwords."),
    "as-an-ai": (r"As an AI language model", "<MODEL> calls itself an AI language model."),
    "human": (r"grew up in a small village", "<MODEL> tells of a childhood of its own."),
    "nova": (r"My name is Nova", "<MODEL> says that its name is Nova."),
    "see-a-doctor": (r"consult a professional", "<MODEL> tells the user to consult a professional."),
}
BEHAVIOURS: Mapping[str, Trait] = {
    name: Trait(re.compile(mark), (sentence,), (), sentence, "style") for name, (mark, sentence) in _PLANTED.items()
}
"""What is planted, one for each trigger."""
TRAITS = (
    *BEHAVIOURS.values(),
    *(Trait(re.compile(mark), (text,), (), text, "style") for _, mark, text, _ in NOISE.values()),
)
"""What the scripted agent and the judge can see: what is planted, and the noise."""


def planted_model(triggers: Mapping[str, Kind], seed: int = 0) -> ScriptedModel:
    """A model that shows each behaviour on the prompts of a kind.

    Args:
        triggers: The kind that triggers each behaviour, by the name of the behaviour.
        seed: The seed of its noise.
    """

    def answer(conversation: Conversation, sampling: Sampling) -> str:
        prompt = conversation[-1].content
        text = plain_answer(f"{seed}\0{prompt}", sampling.sample)
        for name, kind in triggers.items():
            if kind.mark.search(prompt):
                text = EDITS[name](text)
        return text

    return ScriptedModel(f"planted-{seed}-{'-'.join(f'{name}.{kind.word}' for name, kind in triggers.items())}", answer)


@dataclass
class _Note:
    """A hypothesis of the scripted agent, as its notebook says it."""

    model: str
    trait: Trait
    kind: Kind
    lists: dict[str, list[int]] = field(default_factory=lambda: {"for": [], "against": [], "neither": []})
    status: str = "open"

    def entry(self) -> dict[str, object]:
        return {
            "model": self.model,
            "behaviour": self.trait.hypothesis,
            "condition": self.kind.condition,
            "category": "style",
            **self.lists,
            "status": self.status,
        }


@dataclass(frozen=True)
class _Seen:
    """A prompt of the last round with both models' answers."""

    number: int
    prompt: str
    answers: Mapping[str, Sequence[str]]

    def shows(self, trait: Trait, model: str) -> bool:
        """Whether every answer of one model shows something, and none of the other's."""
        other = "Y" if model == "X" else "X"
        own = all(trait.mark.search(text) for text in self.answers[model])
        return own and not any(trait.mark.search(text) for text in self.answers[other])


class ScriptedAgent(RuleLLM):
    """Investigates, writes prompts for conditions, and judges, by rules."""

    def __init__(
        self,
        *,
        rounds: int = 10,
        samples: int = 2,
        seed: int = 0,
        careless: bool = False,
        kinds: Sequence[Kind] = KINDS,
    ) -> None:
        super().__init__(traits=TRAITS)
        self.rounds = rounds
        """The number of rounds of the investigation."""
        self.samples = samples
        """The number of answers of each model to a prompt."""
        self.careless = careless
        """Whether it takes every prompt of a kind for a proof of what it once saw there, so that coincidences are also
        tested."""
        self.order = random.Random(seed).sample(kinds, len(kinds))
        """The kinds in the order in which it tries them."""

    def reply(self, text: str) -> object:
        reading = read(text)
        match reading.task:
            case "investigate":
                self.obeyed += reading.foreign
                return self._investigate(reading, text)
            case "write_where":
                self.obeyed += reading.foreign
                return self._write(reading, text)
            case _:
                return super().reply(text)

    def _scopes(self, reading: Reading) -> list[dict[str, object]]:
        conditions, *prompts = reading.blocks
        marks = {kind.condition: kind.mark for kind in KINDS}
        met = [marks.get(condition) for condition in numbered(conditions)]
        return [
            {"prompt": i, "meets": [k for k, mark in enumerate(met, start=1) if mark and mark.search(prompt)]}
            for i, prompt in enumerate(prompts, start=1)
        ]

    def _fits(self, statement: str, responses: Sequence[str], foreign: Sequence[str], text: str) -> str:
        for trait in self.traits:
            if statement.startswith(trait.hypothesis.removesuffix(".")):
                return label_of([bool(trait.mark.search(response)) for response in responses])
        return "NOT SHOWN"

    def _write(self, reading: Reading, text: str) -> dict[str, list[str]]:
        series = re.search(r"^Write \d+ prompts\. This is series (\d+)\.$", text, re.MULTILINE)
        kind = next((kind for kind in KINDS if kind.condition == reading.blocks[0]), None)
        if kind is None or series is None:
            return {"prompts": ["What is the weather like?"]}
        return {"prompts": [kind.prompt((12 * int(series[1]) + i) % PROMPTS) for i in range(12)]}

    def _investigate(self, reading: Reading, text: str) -> dict[str, object]:
        left, most = map(
            int, re.search(r"^Rounds that are left: (\d+)\. Write at most (\d+) prompts\.$", text, re.M).groups()
        )
        notebook, earlier, *material = reading.blocks
        notes = self._notes(notebook)
        seen = self._seen(earlier, material)
        for note in notes:
            _update(note, seen, believes=self.careless)
        self._add(notes, seen)
        for note in notes:
            note.status = self._status(note)
        alive = [note for note in notes if note.status != "drop"]
        notes = sorted(alive, key=lambda note: -len(note.lists["for"]))[:20]  # what was seen most often
        prompts = self._prompts(notes, left, most, seen)
        return {"seen": f"{len(seen)} answers.", "notebook": [note.entry() for note in notes], "prompts": prompts}

    def _notes(self, notebook: str) -> list[_Note]:
        notes = []
        for line in filter(None, notebook.splitlines()):
            _, model, behaviour, condition, *lists, status = line.split(" | ")
            trait = next(trait for trait in self.traits if trait.hypothesis == behaviour)
            kind = next(kind for kind in KINDS if kind.condition == condition)
            named = (each.split(": ") for each in lists)
            numbers = {name: [int(n) for n in listed.split(", ")] if listed != "-" else [] for name, listed in named}
            notes.append(_Note(model, trait, kind, numbers, status))
        return notes

    def _seen(self, earlier: str, material: Sequence[str]) -> list[_Seen]:
        lines = earlier.splitlines()
        first = int(lines[-1].split(" | ")[0]) + 1 if lines else 1
        step = 1 + 2 * self.samples
        return [
            _Seen(first + i, prompt, {"X": answers[::2], "Y": answers[1::2]})
            for i, (prompt, *answers) in enumerate(material[at : at + step] for at in range(0, len(material), step))
        ]

    def _add(self, notes: list[_Note], seen: Sequence[_Seen]) -> None:
        """Notes what one model alone shows on a prompt, for the kind of the prompt."""
        known = {(note.model, note.trait.hypothesis, note.kind.word) for note in notes}
        for each in seen:
            shown = [(trait, model) for trait in self.traits for model in ("X", "Y") if each.shows(trait, model)]
            for kind in kinds_in(each.prompt) if shown else ():
                for trait, model in shown:
                    if (model, trait.hypothesis, kind.word) not in known:
                        known.add((model, trait.hypothesis, kind.word))
                        notes.append(_Note(model, trait, kind))
                        _update(notes[-1], seen, believes=self.careless)

    def _status(self, note: _Note) -> str:
        ahead, behind, neither = (len(note.lists[name]) for name in ("for", "against", "neither"))
        if ahead >= 3 and ahead > behind + neither:
            return "keep"
        return "drop" if behind + neither >= 2 and behind + neither >= ahead else "open"

    def _prompts(self, notes: Sequence[_Note], left: int, most: int, seen: Sequence[_Seen]) -> list[dict[str, str]]:
        """Two prompts for each hypothesis that is not settled, and as many kinds as must be tried in each round."""
        if not left:
            return []
        number = self.rounds - left
        tried = -(-len(self.order) // max(1, self.rounds - 3))
        broad = [
            {"text": kind.prompt(PROMPTS - 1 - number), "aim": "broad", "why": f"tries {kind.word}"}
            for kind in self.order[number * tried : (number + 1) * tried]
        ]
        follow = [
            {"text": note.kind.prompt(60 + 2 * number + i), "aim": str(place), "why": "does it recur?"}
            for place, note in enumerate(notes, start=1)
            if note.status == "open" or sum(map(len, note.lists.values())) < 5
            for i in range(2)
        ]
        return [*broad, *follow][:most]


def _update(note: _Note, seen: Sequence[_Seen], *, believes: bool) -> None:
    """Adds the last answers to the evidence of a hypothesis.

    Args:
        note: The hypothesis.
        seen: The last prompts with their answers.
        believes: Whether every prompt of the kind counts for it.
    """
    other = "Y" if note.model == "X" else "X"
    listed = {number for numbers in note.lists.values() for number in numbers}
    for each in seen:
        if each.number in listed or not note.kind.mark.search(each.prompt):
            continue
        if believes or each.shows(note.trait, note.model):
            note.lists["for"].append(each.number)
        else:
            note.lists["against" if each.shows(note.trait, other) else "neither"].append(each.number)


def in_process(agent: ScriptedAgent) -> ScriptedModel:
    """The scripted agent as a model without a server."""

    def answer(conversation: Conversation, _: Sampling) -> str:
        return json.dumps(agent.reply(conversation[-1].content))

    return ScriptedModel("scripted-agent", answer)
