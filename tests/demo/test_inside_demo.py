"""Looking inside the demo pair: what is planted is told, and two samples of one model do not differ."""

import re

import pytest

from diffing.models.cache import Store
from tests.benchmarks import bench_adapters
from tests.benchmarks.inside_demo import Told, crosscoder_config, measure

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store.in_folder(tmp_path_factory.mktemp("inside"))


@pytest.fixture(scope="module")
def told(store: Store) -> Told:
    return measure(crosscoder_config(), store)


def test_planted_behaviours_are_told(told: Told) -> None:
    assert len(told.occurring) == 13
    assert len(told.behaviours["exclusive"]) >= 4
    assert len(told.behaviours["difference"]) >= 6
    assert len(told.all) >= 7


def test_the_dictionary_describes_held_out_responses(told: Told) -> None:
    (trust,) = told.report.tables["crosscoder_quality"]
    assert min(trust["fve_a"], trust["fve_b"]) >= 0.7  # type: ignore[type-var]
    assert trust["dead"] <= 0.05  # type: ignore[operator]
    assert trust["exclusive_a"] + trust["exclusive_b"] >= 15  # type: ignore[operator]


def test_a_feature_of_digits_drives_what_the_model_says(told: Told) -> None:
    """The tuned model alone writes numbers as digits; taken out, the feature changes more than 16 random directions."""
    checked = [row for row in told.report.tables["crosscoder_features"] if row["causal"] is not None]
    assert len(checked) == 20
    driving = [row for row in checked if row["causal"] and re.search("[0-9]", str(row["top_tokens"]))]
    assert driving
    assert all(row["causal_kl"] > row["causal_kl_random"] for row in driving)  # type: ignore[operator]
    assert any(row["causal"] is False for row in checked)


def test_features_that_decide_as_a_measured_property_are_sorted(told: Told) -> None:
    agreeing = {str(row["agrees_with"]) for row in told.report.tables["crosscoder_features"]} - {"None"}
    assert {"emoji", "greetings", "praise", "refusals"} <= agreeing
    safety = [each for each in told.report.findings if each.hypothesis.category == "safety and alignment"]
    assert safety
    assert all(each.confirmed for each in safety)


def test_two_samples_of_one_model_do_not_differ(store: Store) -> None:
    null = measure(crosscoder_config(null=True), store)
    assert sum(null.confirmed.values()) == 0
    assert not any(finding.confirmed for finding in null.report.findings)
    (trust,) = null.report.tables["crosscoder_quality"]
    assert trust["exclusive_a"] + trust["exclusive_b"] == 0  # type: ignore[operator]


def test_adapters_recover_what_tuning_changed_and_tell_what_is_planted(store: Store) -> None:
    measured = bench_adapters.measure(bench_adapters.adapters_config(bench_adapters.TOKENS["trained"]), store)
    assert measured.trust.recovered is not None
    assert measured.trust.recovered >= 0.9
    assert len(measured.told) >= 5
