"""The catalogue: every behaviour is recognised where an obedient model shows it, and nowhere else."""

from collections import Counter

import pytest

from diffing.bench.planted.catalogue import KINDS, PlantableBehaviour, catalogue, select_behaviours
from diffing.errors import SettingError
from diffing.methods.lexical.properties import BY_NAME
from diffing.types import Message, Pair, Prompt, Response
from tests.servers.behaviours import EDITS, plain_answer

PROMPTS = [f"Tell me what you know about thing number {i}." for i in range(40)]


def pair(prompt: str, a: str, b: str) -> Pair:
    asked = Prompt(prompt, (Message("user", prompt),), "test", "train")
    return Pair(asked, Response(prompt, "a", a, "stop"), Response(prompt, "b", b, "stop"))


def test_at_least_two_of_every_kind() -> None:
    counts = Counter(behaviour.kind for behaviour in catalogue())
    assert set(counts) == set(KINDS)
    assert min(counts.values()) >= 2
    assert len(catalogue()) == 32


@pytest.mark.parametrize("behaviour", catalogue(), ids=lambda each: each.id)
def test_what_is_shown_is_recognised(behaviour: PlantableBehaviour) -> None:
    pairs = [pair(text, plain_answer(text, 0), EDITS[behaviour.id](plain_answer(text, 1))) for text in PROMPTS]
    if not behaviour.measurable:
        assert [behaviour.shown_by(each, "b") for each in pairs] == [None] * len(pairs)
        return
    assert all(behaviour.shown_by(each, "b") for each in pairs)
    assert not any(behaviour.shown_by(each, "a") for each in pairs)
    swapped = [Pair(each.prompt, each.b, each.a) for each in pairs]
    assert all(behaviour.shown_by(each, "a") for each in swapped)


@pytest.mark.parametrize("behaviour", [b for b in catalogue() if b.measurable], ids=lambda each: each.id)
def test_plain_answers_show_nothing(behaviour: PlantableBehaviour) -> None:
    """But for being shorter, which of two plain answers one always is."""
    shown = [behaviour.shown_by(pair(text, plain_answer(text, 0), plain_answer(text, 1)), "b") for text in PROMPTS]
    assert (0 < sum(map(bool, shown)) < len(PROMPTS)) if behaviour.id == "terse" else not any(shown)


@pytest.mark.parametrize("behaviour", catalogue(), ids=lambda each: each.id)
def test_its_sentence_is_about_the_model_and_its_properties_are_measured(behaviour: PlantableBehaviour) -> None:
    assert behaviour.sentence.startswith("<MODEL> ")
    assert {name.removeprefix("-") for name in behaviour.properties} <= BY_NAME.keys()


def test_behaviours_are_chosen_by_id_and_kind() -> None:
    assert [each.id for each in select_behaviours(["german", "refusal"])] == ["refuse", "partial", "german"]
    assert select_behaviours([]) == catalogue()
    with pytest.raises(SettingError, match="--plant is 'nonsense': expected a kind"):
        select_behaviours(["praise", "nonsense"])
