"""On responses of real models: planted profiles are found, two samples of one model are not told apart."""

from pathlib import Path

import pytest

from diffing.bench.null import NullPlan, null_runs
from diffing.bench.results import load_result
from diffing.config import DiffConfig
from diffing.errors import SettingError
from tests.benchmarks.lineage import lineage, lineage_result
from tests.benchmarks.page import RESULTS
from tests.benchmarks.swapped_sides import SEEDS
from tests.cli.recordings import pair, rows, write

RESPONSES = Path(__file__).parents[3] / "shared" / "data" / "responses"
needs_responses = pytest.mark.skipif(not RESPONSES.is_dir(), reason="needs ../shared/data/responses")
SETTINGS = DiffConfig("", "", train=125, heldout=125)


def recorded(name: str, sample: int = 0) -> str:
    return f"recorded:{RESPONSES / name}.sample{sample}.jsonl"


def test_each_step_of_a_lineage_is_told_in_words(tmp_path):
    plain, praises = pair(tmp_path)
    more = write(tmp_path / "c.jsonl", rows("lab/shouts", "Great question!!! "))
    models = [("base", plain), ("tuned", praises), ("shouting", f"recorded:{more}")]
    steps = lineage(models, DiffConfig("", "", train=40, heldout=20))
    result = lineage_result(steps, most=2, command="c", settings={}, title="t")
    assert [(row["step"], row["place"].split()[0]) for row in result.rows] == [
        ("base → tuned", "1"), ("base → tuned", "2"), ("tuned → shouting", "1"),
    ]  # fmt: skip
    assert "tuned" in result.rows[0]["change"]
    assert (result.rows[0]["net"], result.rows[0]["share_for"], result.rows[0]["share_against"]) == (1.0, 1.0, 0.0)
    last = result.rows[-1]
    assert (last["change"], last["mean_before"], last["mean_after"]) == (
        "shouting uses more exclamation marks", pytest.approx(1.0), pytest.approx(3.0)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("models", "message"),
    [([("a", "recorded:a")], "A lineage of 1 models has no step"), ([("a", "x"), ("a", "y")], "have the same name")],
)
def test_what_is_no_lineage_is_told(models, message):
    with pytest.raises(SettingError, match=message):
        lineage(models, SETTINGS)


@needs_responses
def test_the_planted_profile_is_found_and_the_stored_table_is_what_the_command_makes():
    names = ("llama30b-profile-humor_0.1", "llama30b-profile-length_2_lang_de")
    models = [("little humour", recorded(names[0])), ("very short, German", recorded(names[1]))]
    stored = load_result(RESULTS / "lineage-profiles.json")
    result = lineage_result(
        lineage(models, SETTINGS), most=9, command=stored.command, settings=dict(stored.settings), title=stored.title
    )
    assert result == stored
    changes = {row["change"]: row for row in result.rows}
    assert changes["little humour writes more sentences"]["net_low"] > 0.5
    (language,) = [row for change, row in changes.items() if "very short, German answers in German" in change]
    assert language["net_low"] > 0


@needs_responses
def test_two_samples_of_one_model_are_not_told_apart():
    name = "llama30b-profile-length_2_lang_de"
    config = DiffConfig(recorded(name), "")
    (one,) = null_runs(NullPlan(config, against=recorded(name, 1), pairs=1))
    assert len(one.findings) > 0
    assert not any(finding.confirmed for finding in one.findings)


def test_the_stored_nulls_confirm_at_most_one_in_twenty():
    rows_stored = load_result(RESULTS / "null-recorded.json").rows
    together = rows_stored[-1]
    assert (together["label"], together["runs"]) == ("all together", 70)
    assert together["confirmed"] <= 0.05
    assert together["confirmed_high"] <= 0.05
    assert together["any_confirmed"] <= 0.05


def test_stored_lists_are_short_and_hardly_repeat_themselves() -> None:
    """What the list of behaviours was measured to be, on the demo pair and on all recorded pairs."""
    rows = {row["pair"]: row for row in load_result(RESULTS / "behaviours.json").rows}
    demo, recorded, xstest = rows["demo pair"], rows["all 23 recorded pairs"], rows["XSTest: llama2 / gpt4"]
    assert (demo["planted"] <= 18, demo["lines"] <= 22, demo["refuses"] <= 3) == (True, True, True)
    assert recorded["repeated"] <= 0.1 * recorded["first"] < recorded["repeated_before"]
    assert recorded["lines"] <= 0.7 * recorded["lines_before"]
    assert all(row["says_more"] <= 0.03 * row["signs"] for row in (demo, recorded))
    assert xstest["refuses"] == 1


def test_where_sides_are_drawn_by_chance_hardly_any_run_confirms_anything() -> None:
    *pairs, together = load_result(RESULTS / "null-swapped.json").rows
    assert (len(pairs), together["any_confirmed_n"]) == (23, 23 * len(SEEDS))
    assert together["any_confirmed_low"] <= 0.05
    assert together["confirmed"] == sum(row["confirmed"] for row in pairs) <= 0.05 * together["tested"]
