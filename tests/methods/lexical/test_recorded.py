"""The method gives what it gave before it was made faster, field by field: see `recorded_results`."""

import json
from pathlib import Path

import pytest

from tests.methods.lexical.recorded_results import DIGESTS, FEW, RECORDED, digests_of, recorded_pairs

EXPECTED = json.loads(DIGESTS.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_pairs_give_the_same_as_ever(name: str, shared_data: Path) -> None:
    assert digests_of(recorded_pairs(name)[:FEW]) == EXPECTED[name]["few"]


@pytest.mark.parametrize("name", ["languages", "odd"])
def test_texts_of_all_scripts_and_odd_texts_give_the_same_as_ever(name: str) -> None:
    assert digests_of(recorded_pairs(name)) == EXPECTED[name]["all"]


@pytest.mark.slow
@pytest.mark.parametrize("name", RECORDED)
def test_all_recorded_pairs_give_the_same_as_ever(name: str, shared_data: Path) -> None:
    assert digests_of(recorded_pairs(name)) == EXPECTED[name]["all"]
