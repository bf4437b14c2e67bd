"""How often a policy is called kept, in simulated runs."""

import numpy as np
import pytest

from diffing.bench.results import load_result
from tests.benchmarks.page import RESULTS
from tests.benchmarks.simulation.equivalence import EquivalenceShape, measure_equivalence, shapes


@pytest.mark.parametrize("differences", [1, 3])
def test_a_difference_at_its_limit_is_rarely_called_smaller_and_none_often(differences: int) -> None:
    row = measure_equivalence(EquivalenceShape(differences, 0.2, 0.2, 60), 300, np.random.default_rng(2))
    assert row["wrong_low"] <= 0.05
    assert row["power"] > 0.8
    assert (row["wrong_n"], row["power_n"]) == (300, 300)


def test_too_few_prompts_show_nothing() -> None:
    row = measure_equivalence(EquivalenceShape(1, 0.02, 0.0, 60), 50, np.random.default_rng(2))
    assert row["power"] == 0.0


def test_every_shape_is_another() -> None:
    assert len(set(shapes())) == len(list(shapes())) == 96


def test_the_stored_result_exceeds_5_percent_nowhere_by_more_than_chance() -> None:
    stored = load_result(RESULTS / "statistics-equivalence.json")
    assert len(stored.rows) == 96
    assert [row for row in stored.rows if row["wrong_low"] > 0.05] == []
