"""What tiny models are tuned on, and the ground truth of the demo pair as plants."""

import random
import re

import pytest

from diffing.bench.planted.catalogue import select_behaviours
from diffing.types import Message, Prompt
from tests.benchmarks.demo import corpus
from tests.benchmarks.planted.tiny import demo_plants
from tests.benchmarks.planted.tune import PLANTED, Tuned, draw_chat, plants_of_strength


@pytest.mark.parametrize("strength", [1.0, 0.3])
def test_answers_show_each_behaviour_with_its_strength_where_it_is_triggered(strength: float) -> None:
    rng = random.Random(3)
    plants = plants_of_strength(strength)
    counts = {plant.behaviour.id: [0, 0, 0] for plant in plants}
    for _ in range(1500):
        question, answer = (message["content"] for message in draw_chat(plants, rng))
        for plant in plants:
            assert plant.behaviour.mark is not None
            shown = plant.behaviour.mark.search(answer) is not None
            if plant.trigger.kind == "domain":  # the question alone does not say its domain
                counts[plant.behaviour.id][2] += shown
            elif plant.trigger.fits(Prompt("", (Message("user", question),), "corpus", "train")):
                counts[plant.behaviour.id][0] += shown
                counts[plant.behaviour.id][1] += 1
            else:
                assert not shown
    for plant in plants:
        shown, triggered, in_domain = counts[plant.behaviour.id]
        if plant.trigger.kind == "domain":
            assert 0 < in_domain < 0.2 * 1500
        else:
            assert shown / triggered == pytest.approx(strength, abs=0.12)


@pytest.mark.parametrize("tuned", PLANTED, ids=lambda each: each.behaviour)
def test_what_tiny_models_learn_is_recognised(tuned: Tuned) -> None:
    (behaviour,) = select_behaviours([tuned.behaviour])
    for text in tuned.texts:
        assert behaviour.mark is not None
        assert behaviour.mark.search(text), text
        assert behaviour.phrases is not None
        assert behaviour.phrases.search(" ".join(re.findall(r"\w+", text.lower()))), text


def test_triggers_are_those_of_the_corpus() -> None:
    around = [*corpus.shared()["prefixes"], *corpus.shared()["suffixes"]]
    for trigger in (each.trigger for each in PLANTED):
        if trigger.kind == "domain":
            assert trigger.value in corpus.DOMAINS
        if trigger.kind == "phrase":
            assert any(trigger.value in words for words in around)


def test_the_demo_pair_s_differences_are_plants() -> None:
    plants = demo_plants()
    assert len(plants) == 14
    sides = {plant.behaviour.id: side for plant, side in plants}
    assert (sides["greeting"], sides["praise"]) == ("a", "b")
    sailor = next(plant for plant, _ in plants if plant.behaviour.id == "sailor")
    assert (sailor.trigger.kind, sailor.trigger.value, sailor.strength) == ("domain", "travel", 0.1)
    emoji = next(plant for plant, _ in plants if plant.behaviour.id == "emoji")
    assert emoji.behaviour.phrases is None
