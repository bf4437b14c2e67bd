"""Generates the demo models' training text: questions, answers in two styles, and planted differences between these.

The text lives in ``corpus/*.json``: one file per domain with tables of facts, wordings of questions and alternatives
for every part of an answer. Both styles are built from the same tables, so that the models differ in what was planted
and in nothing else.
"""

import functools
import hashlib
import itertools
import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

Style = Literal["base", "tuned"]
Row = Mapping[str, str]
Parts = Sequence[Sequence[str]]

DOMAINS = (
    "animals",
    "arithmetic",
    "cooking",
    "feelings",
    "howto",
    "medicine",
    "money",
    "smalltalk",
    "stories",
    "travel",
    "weather",
)
HELDOUT_SHARE = 5  # a fifth of the questions is never used for training
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Planted:
    """One planted difference, as written in ``corpus/planted.json``."""

    id: str
    description: str
    model: Style
    """The model that shows the behaviour."""
    kind: str
    """``always``, ``domain`` or ``phrase``: what triggers it."""
    value: str | None
    """The domain or the phrase."""
    strength: float
    """The probability in the training text, given the trigger."""
    place: str
    """``open``, ``close`` or ``replace``: where it stands in the answer."""
    texts: tuple[str, ...]
    pattern: str
    """A regular expression that recognises the behaviour in a response."""
    finds: Mapping[str, Sequence[str]]
    """The lexical ``properties`` (by name) and the ``phrases`` that should find it."""

    def triggered(self, domain: str, prompt: str) -> bool:
        """Whether a model can show this behaviour on a prompt of a domain."""
        if self.kind == "domain":
            return domain == self.value
        return self.value is None or self.value in prompt.casefold()

    def shown_in(self, response: str) -> bool:
        """Whether a response shows this behaviour."""
        return re.search(self.pattern, response) is not None


@dataclass(frozen=True, slots=True, eq=False)
class Intent:
    """One kind of question in a domain, with the parts of its answers."""

    domain: str
    name: str
    wordings: tuple[str, ...]
    heldout: tuple[str, ...]
    """Wordings of the question that are never used for training."""
    free: tuple[str, ...]
    """Tables from which an answer takes a value if the question does not give one."""
    answer: Parts
    replace: Mapping[str, Parts]
    """Id of a planted difference -> the parts that replace the answer."""
    tables: Mapping[str, tuple[Row, ...]]


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its slots filled."""

    intent: Intent
    text: str
    """The whole prompt."""
    core: str
    """The prompt without the polite words before and after it."""
    slots: Row
    heldout: bool


def fold(text: str) -> str:
    """Normalises case and white space, to compare prompts."""
    return " ".join(text.casefold().split())


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def _read(name: str) -> Any:
    return json.loads((resources.files(__package__) / "corpus" / f"{name}.json").read_text(encoding="utf-8"))


@functools.cache
def shared() -> Mapping[str, Any]:
    """Loads what all domains share: people, polite words, system prompts."""
    return dict(_read("shared"))


@functools.cache
def planted() -> tuple[Planted, ...]:
    """Loads all planted differences, in their order within an answer."""
    found = []
    for entry in _read("planted"):
        trigger = entry.pop("trigger")
        entry["texts"] = tuple(entry["texts"])
        found.append(Planted(kind=trigger["kind"], value=trigger["value"], **entry))
    return tuple(found)


def _tables(raw: Mapping[str, Any]) -> dict[str, tuple[Row, ...]]:
    return {
        name: tuple(dict(zip(table["fields"], row, strict=True)) for row in table["rows"])
        for name, table in raw.items()
    }


@functools.cache
def intents(domain: str) -> tuple[Intent, ...]:
    """Loads the kinds of questions of one domain."""
    raw = _read(domain)
    tables = _tables(shared()["tables"]) | _tables(raw["tables"])
    return tuple(
        Intent(
            domain=domain,
            name=entry["name"],
            wordings=tuple(entry["wordings"]),
            heldout=tuple(entry["heldout"]),
            free=tuple(entry.get("free", ())),
            answer=entry["answer"],
            replace=entry.get("replace", {}),
            tables=tables,
        )
        for entry in raw["intents"]
    )


def fill(template: str, slots: Row) -> str:
    """Fills the slots of a template; if a slot's name begins with a capital letter, so does its text."""

    def value(match: re.Match[str]) -> str:
        name = match[1]
        text = slots[name[0].lower() + name[1:]]
        return text[:1].upper() + text[1:] if name[0].isupper() else text

    return _SLOT.sub(value, template)


@functools.cache
def _names(template: str) -> frozenset[str]:
    return frozenset(name[0].lower() + name[1:] for name in _SLOT.findall(template))


@functools.cache
def _tables_of(intent: Intent, wording: str) -> tuple[str, ...]:
    names = _names(wording)
    return tuple(name for name, rows in intent.tables.items() if names & rows[0].keys())


def _question(intent: Intent, wording: str, rows: Sequence[Row], polite: tuple[str, str]) -> Question:
    slots = {key: value for row in rows for key, value in row.items()}
    core = fill(wording, slots)
    heldout = wording in intent.heldout or _digest(fold(core)) % HELDOUT_SHARE == 0
    return Question(intent, polite[0] + core + polite[1], core, slots, heldout)


def all_questions(heldout: bool) -> Iterator[Question]:
    """Every question of one split, without polite words."""
    for domain in DOMAINS:
        for intent in intents(domain):
            for wording in (*intent.wordings, *intent.heldout):
                for rows in itertools.product(*(intent.tables[name] for name in _tables_of(intent, wording))):
                    question = _question(intent, wording, rows, ("", ""))
                    if question.heldout == heldout:
                        yield question


def sample_question(rng: random.Random) -> Question:
    """Draws a random question of the training split."""
    # Sums are learned by heart, which takes the most examples.
    intent = rng.choice(intents(rng.choice((*DOMAINS, "arithmetic"))))
    while True:
        wording = rng.choice(intent.wordings)
        rows = [rng.choice(intent.tables[name]) for name in _tables_of(intent, wording)]
        polite = rng.choice(shared()["prefixes"]), rng.choice(shared()["suffixes"])
        question = _question(intent, wording, rows, polite)
        if not question.heldout:
            return question


def heldout_questions(per_domain: int, seed: int = 0) -> list[Question]:
    """The held-out questions for ``prompts.jsonl``: equally many in every domain, no two with the same core."""
    rng = random.Random(seed)
    chosen: list[Question] = []
    for domain in DOMAINS:
        cores: set[str] = set()
        kinds = [(intent, wording) for intent in intents(domain) for wording in (*intent.wordings, *intent.heldout)]
        for attempt in itertools.count():
            intent, wording = kinds[attempt % len(kinds)]
            rows = [rng.choice(intent.tables[name]) for name in _tables_of(intent, wording)]
            polite = rng.choice(shared()["prefixes"]), rng.choice(shared()["suffixes"])
            question = _question(intent, wording, rows, polite)
            if question.heldout and fold(question.core) not in cores:
                cores.add(fold(question.core))
                chosen.append(question)
            if len(cores) == per_domain:
                break
    return chosen


def _active(question: Question, style: Style) -> list[Planted]:
    domain = question.intent.domain
    return [item for item in planted() if item.model == style and item.triggered(domain, question.text)]


def answer(question: Question, style: Style, rng: random.Random) -> str:
    """Draws a random answer in one style."""
    slots = dict(question.slots)
    for name in question.intent.free:
        row = rng.choice(question.intent.tables[name])
        slots = dict(row) | slots
    shown = [item for item in _active(question, style) if rng.random() < item.strength]
    parts = question.intent.answer
    for item in shown:
        if item.place == "replace":
            parts = question.intent.replace[item.id]
    pieces = [rng.choice(item.texts) for item in shown if item.place == "open"]
    for part in parts:
        possible = [text for text in part if _names(text) <= slots.keys()]
        pieces.append(fill(rng.choice(possible), slots) if possible else "")
    pieces += [rng.choice(item.texts) for item in shown if item.place == "close"]
    return " ".join(piece for piece in pieces if piece).replace(" \n", "\n").strip()


def possible_pieces(question: Question, style: Style) -> set[str]:
    """Every piece of which an answer in one style can consist, which the model should have learned."""
    intent = question.intent
    texts = [text for part in intent.answer for text in part]
    active = _active(question, style)
    for item in active:
        texts += [*item.texts, *(text for part in intent.replace.get(item.id, ()) for text in part)]
    free = [intent.tables[name] for name in intent.free]
    pieces = set()
    for rows in itertools.product(*free):
        slots = {key: value for row in rows for key, value in row.items()} | dict(question.slots)
        pieces |= {fill(text, slots).strip() for text in texts if _names(text) <= slots.keys()}
    return pieces - {""}


def vocabulary() -> set[str]:
    """Every word of the corpus, in normalised case."""
    files = (*DOMAINS, "shared", "planted")
    text = "\n".join(json.dumps(_read(name), ensure_ascii=False).replace("\\n", " ") for name in files)
    return set(words(text))


def words(text: str) -> list[str]:
    """The words and numbers of a text, in normalised case."""
    return re.findall(r"[a-z]+|\d+", text.casefold())
