"""The page of a family: its tree, matrix and lists, whatever the models are called."""

import json
import re
from dataclasses import replace

import pytest

from diffing.outputs.family import family_json, family_page, separation_in_words
from diffing.outputs.figures.tree import described
from diffing.types import PhraseMeasure
from tests.family.samples import family
from tests.hostile import CORE

LINKS = {(a, b): f"pair-{a + 1}-{b + 1}/report.html" for a in range(4) for b in range(a + 1, 4)}


def test_the_page_has_tree_matrix_branches_and_steps() -> None:
    page = family_page(family(), LINKS)
    assert page.count('href="pair-') == 12 + 3  # each pair twice in the matrix, and the steps
    assert "each of base and sft</bdi> against <bdi>each of dpo and rlhf" in page
    assert "<bdi>rlhf</bdi>" in page
    assert "<script" not in page
    assert "4 of 4\u00a0triples" in page
    assert page.count('<line class="zero"') == 9


def test_the_tree_in_words() -> None:
    assert described(family()) == (
        "From the closest on, these join: dpo and rlhf, told apart in 60%; base and sft, told apart in 70%; (base, "
        "sft) and (dpo, rlhf), told apart in 95% of pairs of responses on average."
    )


def test_a_separation_in_words() -> None:
    found = family()
    assert separation_in_words(found, found.branches[-1].separations[0]) == (
        "each of dpo and rlhf nods more than each of base and sft: in the pair with the smallest difference, +28 "
        "points (95% interval +19 to +38)"
    )


def test_a_phrase_is_quoted_as_everywhere() -> None:
    found = family()
    one = found.branches[-1].separations[0]
    phrase = replace(
        one.hypothesis, text="<MODEL> uses the phrase «of all» more often", measure=PhraseMeasure("of all")
    )
    assert "uses the phrase “of all” more often" in separation_in_words(found, replace(one, hypothesis=phrase))


def test_programs_get_everything_as_strict_json() -> None:
    told = json.loads(json.dumps(family_json(family()), allow_nan=False))
    assert [each["name"] for each in told["models"]] == ["base", "sft", "dpo", "rlhf"]
    assert [each["confirmed_differences"] for each in told["pairs"]] == [2, 3, 3, 2, 2, 1]
    assert told["tree"][-1]["separated_by"][0]["more"] == [2, 3]


@pytest.mark.parametrize("attack", CORE.values(), ids=CORE)
def test_hostile_names_are_text(attack: str) -> None:
    plain, page = family_page(family(), LINKS), family_page(family((attack, "org/sft", "org/dpo", "org/rlhf")), LINKS)
    tags = [re.findall(r"<[a-z/][\w-]*", each.replace("</a>", "")) for each in (plain, page)]
    tags = [[tag for tag in each if tag != "<a"] for each in tags]  # only names of the Hub are links
    assert tags[0] == tags[1]
