"""The pairs that the benchmark runs on: recorded models, and plain answers in which properties are planted."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from diffing.models.scripted import ScriptedModel
from diffing.types import Message, Pair, Prompt, Response
from tests.servers.behaviours import plain_answer
from tests.servers.varied import share
from tests.servers.varied_words import PROPERTIES

RESPONSES = Path(__file__).parents[4] / "shared" / "data" / "responses"
"""The recorded responses; they lie beside the checkout and are no part of it."""
PLANTED = tuple(each for each in PROPERTIES if each.name not in ("contrasts", "examples"))
"""The ten planted properties; the other two occur in plain answers of both sides alike."""
STRENGTH = 0.3
"""The share of the owner's responses in which each is planted."""
ELSEWHERE = 0.03
"""The share of the other side's responses in which it is planted as well."""


@dataclass(frozen=True)
class World:
    """Two models that answer the same prompts, by table."""

    name: str
    """In a few words."""
    prompts: tuple[Prompt, ...]
    """Train and held-out prompts."""
    a: Mapping[str, str]
    """The responses of A by the prompt's text."""
    b: Mapping[str, str]
    """The responses of B."""

    def models(self) -> tuple[ScriptedModel, ScriptedModel]:
        """Models that answer from the tables."""
        return (
            ScriptedModel("model-a", lambda conversation, _: self.a[conversation[-1].content]),
            ScriptedModel("model-b", lambda conversation, _: self.b[conversation[-1].content]),
        )

    def pairs(self) -> list[Pair]:
        """The pairs of responses to all prompts."""
        return [
            Pair(
                prompt,
                *(
                    Response(prompt.id, model.id, table[prompt.text], "stop")
                    for model, table in zip(self.models(), (self.a, self.b), strict=True)
                ),
            )
            for prompt in self.prompts
        ]

    def texts(self, split: str) -> list[tuple[str, str]]:
        """The two responses to each prompt of a split."""
        return [(self.a[each.text], self.b[each.text]) for each in self.prompts if each.split == split]


def split_prompts(texts: Sequence[str], train: int, heldout: int) -> tuple[Prompt, ...]:
    """The first prompts are train prompts, the next ones held out."""
    return tuple(
        Prompt(f"p{i:04}", (Message("user", text),), "varied", "train" if i < train else "heldout")
        for i, text in enumerate(texts[: train + heldout])
    )


def recorded(one: str, two: str, train: int | None = None, heldout: int | None = None, seed: int = 0) -> World:
    """Two recordings of the same prompts.

    Args:
        one: The name of A's file, without `.jsonl`.
        two: The name of B's file.
        train: The number of train prompts; by default two thirds.
        heldout: The number of held-out prompts; by default the rest.
        seed: Of the order of the prompts.
    """
    a, b = (_read(RESPONSES / f"{name}.jsonl") for name in (one, two))
    texts = sorted(set(a) & set(b))
    random.Random(seed).shuffle(texts)
    train = len(texts) * 2 // 3 if train is None else train
    prompts = split_prompts(texts, train, len(texts) - train if heldout is None else heldout)
    return World(f"{one} against {two}", prompts, a, b)


def _read(path: Path) -> dict[str, str]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {row["prompt"]: row["response"] for row in rows if row["response"].strip()}


def planted(count: int = 1000) -> World:
    """Plain answers with ten planted properties, five on either side; two thirds of the prompts are train prompts."""
    texts = [f"What is there to know about item {i}?" for i in range(count)]
    sides = [{text: _answer(text, side) for text in texts} for side in (0, 1)]
    return World(f"{count} synthetic pairs", split_prompts(texts, count * 2 // 3, count - count * 2 // 3), *sides)


def _answer(prompt: str, side: int) -> str:
    text = plain_answer(prompt, side)
    for i, each in enumerate(PLANTED):
        if share("plant", each.name, str(side), prompt) < (STRENGTH if i % 2 == side else ELSEWHERE):
            text = each.plant(text)
    return text


def few(train: int, heldout: int, shown: int) -> World:
    """A small input in which A has a numbered list in some train pairs, and in the same share of held-out pairs.

    Args:
        train: The number of train prompts.
        heldout: The number of held-out prompts.
        shown: The number of train prompts that show it.
    """
    texts = [f"What is there to know about item {i}?" for i in range(train + heldout)]
    lists = PROPERTIES[0]
    every = train // shown
    a = {
        text: lists.plant(plain_answer(text, 0)) if i % every == 0 else plain_answer(text, 0)
        for i, text in enumerate(texts)
    }
    b = {text: plain_answer(text, 1) for text in texts}
    return World(f"{train} train pairs", split_prompts(texts, train, heldout), a, b)
