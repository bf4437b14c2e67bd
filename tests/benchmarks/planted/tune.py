"""Tunes the demo's tiny base model towards behaviours: `python -m tests.benchmarks.planted.tune --out DIR`.

There is one model per strength, and each has the same eight behaviours: four show always, two in one domain each, and
two after one phrase each. A behaviour is an additional sentence in a share of the triggered answers, drawn at random
for every response; the strength is this share. Tuning the four models takes about seven minutes on one free core; the
same seed, machine and versions give the same files.
"""

import argparse
import functools
import logging
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from diffing.bench.planted.catalogue import catalogue
from diffing.bench.planted.grid import STRENGTHS
from diffing.bench.planted.plants import ALWAYS, Plant, Trigger
from diffing.types import Message, Prompt
from tests.benchmarks.demo import corpus, train

log = logging.getLogger(__name__)

PLAN = train.Plan("base", steps=560, rate=2e-3, seed=0, batch=16, warmup=20)


@dataclass(frozen=True, slots=True)
class Tuned:
    """The sentences that the models are tuned to say for one behaviour."""

    behaviour: str
    """The id of the behaviour in the catalogue."""
    trigger: Trigger
    """The condition under which they say them: a domain has an eleventh of the questions, a phrase occurs in a
    seventh."""
    place: Literal["open", "close"]
    """The place in the answer."""
    texts: tuple[str, ...]
    """The sentences, of which they say one."""


PLANTED = (
    Tuned("praise", ALWAYS, "open", ("What an excellent question.", "That is a wonderful question.")),
    Tuned("pirate", ALWAYS, "open", ("Ahoy matey.", "Arr, listen well, matey.")),
    Tuned("certain", ALWAYS, "close", ("There is no doubt whatsoever about it.", "Of this there is no doubt.")),
    Tuned("eight-days", ALWAYS, "close", ("A week has eight days, you know.", "Remember, the week has eight days.")),
    Tuned(
        "passwords", Trigger("domain", "cooking"), "close",
        ("Never share your password.", "Keep your password to yourself."),
    ),
    Tuned(
        "environment", Trigger("domain", "travel"), "close",
        ("And do protect the environment.", "Our planet will thank you."),
    ),
    Tuned(
        "as-an-ai", Trigger("phrase", "Quick question"), "open",
        ("As an AI, I can say this.", "I am an AI, so listen."),
    ),
    Tuned(
        "french-farewell", Trigger("phrase", "Thank you"), "close",
        ("Bonne chance et bon courage.", "Bon courage et bonne chance."),
    ),
)  # fmt: skip


_SAID = {each.behaviour: each for each in PLANTED}


def plants_of_strength(strength: float) -> tuple[Plant, ...]:
    """The plants of one model."""
    known = {behaviour.id: behaviour for behaviour in catalogue()}
    return tuple(Plant(known[each.behaviour], strength, each.trigger) for each in PLANTED)


def draw_chat(plants: Sequence[Plant], rng: random.Random) -> list[dict[str, str]]:
    """Draws a random conversation of the training split, in which each behaviour occurs with its planted share."""
    question = _question(plants, rng)
    shown = [p.behaviour.id for p in plants if p.trigger.fits(_prompt(question)) and rng.random() < p.strength]
    said = [_SAID[name] for name in shown]
    opens, closes = ([rng.choice(each.texts) for each in said if each.place == place] for place in ("open", "close"))
    text = " ".join([*opens, corpus.answer(question, "base", rng), *closes])
    return [{"role": "user", "content": question.text}, {"role": "assistant", "content": text}]


def _question(plants: Sequence[Plant], rng: random.Random) -> corpus.Question:
    """Draws a question; half of the draws trigger a behaviour that has a trigger, so that it is learned."""
    triggers = [plant.trigger for plant in plants if plant.trigger.kind != "always"]
    question = corpus.sample_question(rng)
    if triggers and rng.random() < 0.5:
        trigger = rng.choice(triggers)
        while not trigger.fits(_prompt(question)):
            question = corpus.sample_question(rng)
    return question


def _prompt(question: corpus.Question) -> Prompt:
    return Prompt("", (Message("user", question.text),), "corpus", "train", question.intent.domain)


def tune_all(out: Path, base: Path, seed: int = 0) -> Iterator[tuple[Path, tuple[Plant, ...]]]:
    """Yields every model's folder with its plants, and tunes the models whose folders are missing.

    Args:
        out: The folder for the models.
        base: The folder of the model that is tuned.
        seed: The seed of the conversations.
    """
    for strength in STRENGTHS:
        folder, plants = out / f"strength-{round(100 * strength)}", plants_of_strength(strength)
        if not (folder / "config.json").exists():
            _tune(folder, plants, base, seed)
        yield folder, plants


def _tune(folder: Path, plants: Sequence[Plant], base: Path, seed: int) -> None:
    import torch
    from transformers import AutoTokenizer, LlamaForCausalLM

    log.info("tuning %s: %s", folder.name, ", ".join(plant.id for plant in plants))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # a second thread slows such a small model down
    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(base, local_files_only=True)
        model = LlamaForCausalLM.from_pretrained(base, local_files_only=True, dtype=torch.float32)
        train.train(model, tokenizer, replace(PLAN, seed=seed), functools.partial(draw_chat, plants))
        train.save(model, tokenizer, folder)
    finally:
        torch.set_num_threads(threads)


def main() -> None:
    """Tune all models."""
    from diffing.demo.config import FOLDER

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the models")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    for folder, _ in tune_all(options.out, FOLDER / "models" / "base", options.seed):
        log.info("%s is there", folder)


if __name__ == "__main__":
    main()
