"""Nulls: a model against itself. What is counted is exact; a tiny real model is run in every way that nulls know."""

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from diffing import metrics
from diffing.bench.null import NullPlan, NullRun, like_report, null_result, null_runs
from diffing.bench.results import load_result, save_result
from diffing.config import DiffConfig, settings_of
from diffing.errors import SettingError
from diffing.models.cache import Store
from diffing.run import run
from diffing.types import Finding, Hypothesis
from tests.cli.recordings import pair, rows, write

BASE = Path(__file__).parents[3] / "diffing" / "demo" / "models" / "base"
OPENINGS = ("", "Great question! ", "Well, ", "As you may know, ")


def recording(folder: Path, sample: int, model: str = "lab/one") -> str:
    """A model that opens at random, drawn anew for each sample."""
    drawn = random.Random(sample)
    lines = [{**row, "response": drawn.choice(OPENINGS) + row["response"]} for row in rows(model, "", 120)]
    return f"recorded:{write(folder / f'sample{sample}.jsonl', lines)}"


def finding(number: int, method: str, k_for: int, *, confirmed: bool) -> Finding:
    train = metrics.metrics_of(n=100, k_for=k_for, k_against=0)
    hypothesis = Hypothesis(f"{method}-{number}", "<MODEL> does it.", "a", method, "style")
    return Finding(hypothesis, train, train, accepted=metrics.accepted(train), confirmed=confirmed)


def test_false_alarms_are_counted_per_method_and_over_all():
    runs = [
        NullRun("two samples", "m", ("lexical", "llm"), 10, 1, (finding(1, "lexical", 5, confirmed=True),), True),
        NullRun("two samples", "m", ("lexical", "llm"), 10, 0, (finding(2, "llm", 0, confirmed=False),), False),
        NullRun("saved again", "m", ("lexical",), 10, 10, ()),
        NullRun("two samples", "n", ("lexical",), 10, 0, ()),
    ]
    result = null_result(runs, command="diffing bench null m", settings={}, title="Nulls")
    table = {(row["model"], row["what"], row["method"]): row for row in result.rows}
    assert list(table) == [
        ("m", "two samples", "lexical"), ("m", "two samples", "llm"), ("m", "two samples", "all methods"),
        ("m", "saved again", "lexical"), ("n", "two samples", "lexical"),
        ("all together", "all samples", "lexical"), ("all together", "all samples", "llm"),
        ("all together", "all samples", "all methods"),
    ]  # fmt: skip
    lexical = table["m", "two samples", "lexical"]
    assert (lexical["runs"], lexical["same"], lexical["confirmed"], lexical["any_confirmed"]) == (2, 0.05, 1.0, 0.5)
    llm = table["m", "two samples", "llm"]
    assert (llm["accepted"], llm["confirmed"], llm["any_confirmed"], llm["any_confirmed_n"]) == (0.0, 0.0, 0.0, 2)
    assert llm["confirmed_high"] == pytest.approx(0.975)  # exact for 0 of 1
    saved = table["m", "saved again", "lexical"]
    assert (saved["same"], saved["confirmed"], saved["confirmed_n"], saved["any_confirmed"]) == (1.0, None, 0, 0.0)
    assert (lexical["told_apart"], lexical["told_apart_n"], saved["told_apart"], saved["told_apart_n"]) == (
        0.5,
        2,
        None,
        0,
    )
    everything = table["all together", "all samples", "all methods"]
    assert (everything["told_apart"], everything["told_apart_n"]) == (0.5, 2)
    assert (everything["runs"], everything["confirmed"], everything["confirmed_n"]) == (3, 0.5, 2)
    assert everything["any_confirmed"] == pytest.approx(1 / 3)


def test_two_recorded_samples_of_one_model_confirm_nothing(tmp_path):
    config = DiffConfig(model_a=recording(tmp_path, 0), model_b="")
    plan = NullPlan(config, against=recording(tmp_path, 1), pairs=2)
    runs = list(null_runs(plan))
    assert [(each.what, each.model, each.pairs) for each in runs] == [("two recorded samples", "one", 120)] * 2
    assert not any(each.confirmed for one in runs for each in one.findings)
    assert all(10 < one.same < 60 for one in runs)  # a quarter of the openings agree by chance


def test_two_models_are_no_null(tmp_path):
    a, b = pair(tmp_path)
    with pytest.raises(SettingError, match="The recordings are of lab/plain and lab/praises"):
        list(null_runs(NullPlan(DiffConfig(model_a=a, model_b=""), against=b)))


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (NullPlan(DiffConfig("recorded:a.jsonl", "")), "cannot be asked again. Give a second recording"),
        (NullPlan(DiffConfig("org/model", ""), against="recorded:a.jsonl"), "is for two recordings of one model"),
        (NullPlan(DiffConfig("org/model", ""), pairs=0), "--pairs is 0: expected at least 1"),
    ],
)
def test_what_cannot_be_a_null_is_told_before_anything_is_asked(plan, message):
    with pytest.raises(SettingError, match=message):
        list(null_runs(plan))


def test_a_real_model_in_every_way_and_again_from_the_cache(tmp_path):
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("".join(f"Tell me a story about {i} owls, please.\n" for i in range(14)))
    config = DiffConfig(str(BASE), "", prompts=str(prompts), train=8, heldout=6, max_new_tokens=12)
    store = Store(tmp_path / "completions.sqlite")
    plan = NullPlan(config, pairs=1)
    runs = list(null_runs(plan, store=store))
    assert [one.what for one in runs] == ["two samples", "one at a time and in batches", "saved again and loaded"]
    assert {one.model for one in runs} == {"base"}
    sampled, *greedy = runs
    assert sampled.same < sampled.pairs  # sampled, or there would be nothing to compare
    assert all(one.same == one.pairs for one in greedy)
    counted = [one.pairs for one in runs]

    first = null_result(runs, command="c", settings={}, title="t")
    before = kept(store)
    again = null_result(list(null_runs(plan, store=store)), command="c", settings={}, title="t")
    assert (again, kept(store)) == (first, before)
    # two samples, greedy one at a time, greedy in batches (also the side that was saved), greedy of the saved weights
    assert before == counted[0] * 2 + counted[1] * 2 + counted[2]


def kept(store: Store) -> int:
    import sqlite3

    return sqlite3.connect(store.path).execute("SELECT count(*) FROM texts").fetchone()[0]


def test_a_report_is_calibrated_with_its_own_settings(tmp_path):
    a, b = pair(tmp_path)
    config = DiffConfig(a, b, train=30, heldout=20, seed=3, alpha=0.02)
    report = run(config)
    given = DiffConfig("", "", seed=5)
    like = like_report(report, a, given)
    assert (like.model_a, like.train, like.heldout, like.alpha) == (a, 30, 20, 0.02)
    assert like.seed == 5  # set by hand
    with pytest.raises(SettingError, match=r"keeps only the name .recorded:a.jsonl. of model A's file or folder"):
        like_report(report, None, given)


def test_a_hub_model_is_calibrated_at_its_commit_with_side_a_on_both_sides(tmp_path):
    config = DiffConfig(
        "org/base", "org/tuned", method=("lexical", "llm"), llm="openai:x@http://localhost:1/v1",
        system_prompt_a="Be brief.", system_prompt_b="Be long.", prompts="bundled", amplify=0.5,
    )  # fmt: skip
    report = run(DiffConfig(*pair(tmp_path), train=20, heldout=10))
    sha = "0123456789" * 4
    report = replace(report, settings=settings_of(config), model_a=replace(report.model_a, id=f"org/base@{sha}"))
    like = like_report(report, None, DiffConfig("", ""))
    assert (like.model_a, like.method, like.llm) == (f"org/base@{sha}", ("lexical", "llm"), config.llm)
    sampled = NullPlan(like).of_samples(1)
    assert (sampled.model_b, sampled.system_prompt_b, sampled.amplify) == (sampled.model_a, "Be brief.", None)
    assert (sampled.temperature, sampled.sample_a, sampled.sample_b) == (0.7, 2, 3)
    before = {name: value for name, value in report.settings.items() if name not in ("balance", "prompts")}
    drawn = like_report(replace(report, settings=before), None, DiffConfig("", ""))
    assert (like.prompts, like.balance) == ("bundled@2", "domains")
    assert (drawn.prompts, drawn.balance) == ("bundled@1", "none")
    with pytest.raises(SettingError, match=r"keeps only the name .own.txt. of a file or folder, which is not here"):
        like_report(replace(report, settings={**report.settings, "prompts": "own.txt"}), None, DiffConfig("", ""))
    with pytest.raises(SettingError, match="does not say how its models were loaded"):
        like_report(replace(report, settings={}), None, DiffConfig("", ""))


def test_the_command_that_a_run_suggests_needs_nothing_added(tmp_path):
    from diffing.cli.run_and_save import calibration
    from diffing.demo.config import demo_config

    config = demo_config()
    command = calibration(config, tmp_path)
    assert command[:6] == ["diffing", "bench", "null", config.model_a, "--like", str(tmp_path)]
    given = dict(zip(command[6::2], command[7::2], strict=True))
    assert given == {"--prompts": config.prompts, "--reader": config.reader, "--sae": config.sae}
    report = replace(run(DiffConfig(*pair(tmp_path), train=20, heldout=10)), settings=settings_of(config))
    by_hand = DiffConfig("", "", **{flag.removeprefix("--"): value for flag, value in given.items()})
    like = like_report(report, config.model_a, by_hand)
    assert replace(like, model_b=config.model_b) == config
    for flag in given:
        without = replace(by_hand, **{flag.removeprefix("--"): None})
        if flag != "--reader":  # a reader without a folder may be a preset
            with pytest.raises(SettingError, match=f"of a file or folder, which is not here. Give it with {flag}"):
                like_report(report, config.model_a, without)
    hub = DiffConfig("org/base", "org/tuned")
    assert calibration(hub, tmp_path) == ["diffing", "bench", "null", "--like", str(tmp_path)]


def test_the_command_prints_and_keeps_the_table(tmp_path, capsys):
    from diffing.cli import main

    a, b = recording(tmp_path, 0), recording(tmp_path, 1)
    saved = tmp_path / "null-x.json"
    with pytest.raises(SystemExit) as stopped:
        main(["bench", "null", a, "--against", b, "--pairs", "1", "--train", "60", "--save", str(saved), "--json"])
    assert stopped.value.code == 0
    result = load_result(saved)
    assert json.loads(capsys.readouterr().out)["rows"] == [dict(row) for row in result.rows]
    assert result.command == (
        "diffing bench null recorded:sample0.jsonl --against recorded:sample1.jsonl --pairs 1 --train 60"
    )
    assert str(tmp_path) not in saved.read_text()
    assert save_result(result, saved)
