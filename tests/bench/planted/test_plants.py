"""Plants: exactly the prompts that strength and trigger select get the instruction."""

from dataclasses import replace

import pytest

from diffing.bench.planted.catalogue import catalogue
from diffing.bench.planted.grid import runs_of
from diffing.bench.planted.plants import ALWAYS, Plant, PlantedModel, Trigger, trigger_for, with_phrase
from diffing.models.base import Sampling
from diffing.models.scripted import ScriptedModel
from diffing.types import Message, Prompt

PROMPTS = tuple(
    Prompt(f"p{i}", (Message("user", f"Question {i}?"),), "test", "train", ("cooking", "maths", "travel")[i % 3])
    for i in range(600)
)
PRAISE, GERMAN = (next(b for b in catalogue() if b.id == name) for name in ("praise", "german"))


def echo() -> ScriptedModel:
    return ScriptedModel("echo", lambda conversation, _: " | ".join(m.content for m in conversation))


def answers(plants, prompts=PROMPTS):
    model = PlantedModel(echo(), plants, prompts)
    return [c.text for c in model.generate([prompt.messages for prompt in prompts], Sampling())]


@pytest.mark.parametrize("strength", [1.0, 0.3, 0.1, 0.03])
def test_instructed_are_just_the_selected(strength: float) -> None:
    plant = Plant(PRAISE, strength)
    for prompt, text in zip(PROMPTS, answers([plant]), strict=True):
        expected = f"{PRAISE.instruction} | {prompt.text}" if plant.selects(prompt) else prompt.text
        assert text == expected
    assert sum(map(plant.selects, PROMPTS)) == pytest.approx(600 * strength, abs=40)


def test_weaker_plants_are_within_stronger_ones() -> None:
    weak, strong = Plant(PRAISE, 0.1), Plant(PRAISE, 0.3)
    assert {p.id for p in PROMPTS if weak.selects(p)} < {p.id for p in PROMPTS if strong.selects(p)}
    assert {p.id for p in PROMPTS if strong.selects(p)} != {p.id for p in PROMPTS if Plant(GERMAN, 0.3).selects(p)}


def test_a_domain_triggers() -> None:
    trigger = trigger_for("domain", PROMPTS)
    assert trigger == Trigger("domain", "cooking")
    assert {p.domain for p in PROMPTS if Plant(PRAISE, 0.5, trigger).selects(p)} == {"cooking"}


def test_a_kind_of_domains_triggers() -> None:
    domains = ("advice: health", "advice: money", "code: bugs", "cooking", "code: tests", "advice: health")
    prompts = [replace(prompt, domain=domain) for prompt, domain in zip(PROMPTS, domains, strict=False)]
    trigger = trigger_for("domain", prompts)
    assert trigger == Trigger("domain", "advice")
    assert [trigger.fits(prompt) for prompt in prompts] == [True, True, False, False, False, True]
    assert not trigger.fits(replace(prompts[0], domain=None))


def test_a_phrase_is_put_into_a_third_and_told() -> None:
    trigger = trigger_for("phrase", PROMPTS)
    changed = with_phrase(PROMPTS, trigger)
    holds = [prompt.text.endswith(trigger.value) for prompt in changed]
    assert sum(holds) == pytest.approx(200, abs=40)
    assert [Plant(PRAISE, 1.0, trigger).selects(prompt) for prompt in changed] == holds
    assert changed[0].source == "test, «Many thanks in advance.» added to a third of them"
    assert [prompt.split for prompt in changed] == [prompt.split for prompt in PROMPTS]
    assert with_phrase(PROMPTS, ALWAYS) == PROMPTS


def test_two_plants_share_a_system_prompt() -> None:
    texts = answers([Plant(PRAISE), Plant(GERMAN)])
    assert texts[0] == f"{PRAISE.instruction} {GERMAN.instruction} | Question 0?"


def test_runs_hold_one_of_a_kind_and_one_strength() -> None:
    plants = [Plant(b, s) for s in (1.0, 0.3) for b in catalogue()]
    runs = runs_of(plants, 4)
    assert sorted(p.id for run in runs for p in run) == sorted(p.id for p in plants)
    assert max(map(len, runs)) == 4
    for run in runs:
        assert len({p.behaviour.kind for p in run}) == len(run)
        assert len({p.strength for p in run}) == 1
    assert [len(run) for run in runs_of(plants, 1)] == [1] * 64
