"""The whole method on recorded responses with a planted word, read by the demo's tiny models."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from diffing.checks import check
from diffing.config import DiffConfig, Limits
from diffing.demo.config import FOLDER
from diffing.errors import ModelError, SettingError
from diffing.estimate import estimate
from diffing.methods.crosscoder import causal_check, latent_facts
from diffing.methods.crosscoder.dictionary import Crosscoder
from diffing.methods.crosscoder.exclusive import EXCLUSIVE
from diffing.methods.crosscoder.plan import CROSSCODER
from diffing.methods.crosscoder.sparse_dictionary import DictionaryWeights, Normaliser
from diffing.methods.crosscoder.training_settings import DictionarySource
from diffing.models.cache import Store
from diffing.report import load_report, save_report
from diffing.run import run
from diffing.types import FeatureMeasure, Report

BASE, TUNED = (str(FOLDER / "models" / name) for name in ("base", "tuned"))
WIDTH = int(json.loads(Path(TUNED, "config.json").read_text())["hidden_size"])
TOPICS = "bread rain money trains cats music winter bees chess tea".split()


def record(path: Path, closing: str) -> str:
    """Records 60 answers, each of which says something on its topic and closes with a phrase."""
    rows = [
        {
            "prompt": f"Tell me about {topic}, number {n}.",
            "response": f"Here is a thing on {topic} that I heard {n} times. {closing}",
        }
        for n in range(6)
        for topic in TOPICS
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return f"recorded:{path}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("crosscoder")


@pytest.fixture(scope="module")
def config(folder: Path) -> DiffConfig:
    sides = {"inside_a": BASE, "inside_b": TUNED}
    own: dict[str, Any] = {**sides, "dictionary_size": 160, "depth": (0.5,), "features": 6, "steer": 2}
    return DiffConfig(
        model_a=record(folder / "a.jsonl", "That is all I know."),
        model_b=record(folder / "b.jsonl", "What do you think of it?"),
        method=("crosscoder",),
        dtype="float32",
        **own,
    )


@pytest.fixture(scope="module", autouse=True)
def _few_rows_suffice() -> Iterator[None]:
    """So few texts hold back too few rows for the usual limit."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(latent_facts, "ALIVE_ROWS", 2)
        patch.setattr(latent_facts, "DENSE_SHARE", 0.3)
        patch.setattr(causal_check, "CHECKED", 1)
        patch.setattr(causal_check, "RESPONSES", 4)
        yield


@pytest.fixture(scope="module")
def report(folder: Path, config: DiffConfig) -> Report:
    return run(config, store=Store.in_folder(folder / "cache"))


def test_a_run_finds_features_of_what_one_side_writes(report: Report, tmp_path: Path) -> None:
    confirmed = [finding for finding in report.findings if finding.confirmed]
    assert {finding.hypothesis.direction for finding in confirmed} == {"a", "b"}
    assert len(report.findings) <= 6
    for finding in confirmed:
        measure = finding.hypothesis.measure
        assert isinstance(measure, FeatureMeasure)
        assert measure.features[0].name in finding.hypothesis.text
        assert finding.hypothesis.text.startswith("<MODEL>'s responses activate feature")
        assert finding.hypothesis.evidence
    assert load_report(save_report(report, tmp_path / "report")) == report


def test_the_table_of_features_tells_kind_threshold_scaling_and_effect(report: Report) -> None:
    rows = {row["name"]: row for row in report.tables["crosscoder_features"]}
    measured = {each.name: each.above for f in report.findings for each in f.hypothesis.measure.features}  # type: ignore[union-attr]
    for name, above in measured.items():
        assert rows[name]["threshold"] == above
        assert rows[name]["chosen"] is True
    checked = [row for row in rows.values() if row["causal"] is not None]
    assert checked
    assert all(row["causal_kl"] >= 0 and row["causal_kl_random"] > 0 for row in checked)  # type: ignore[operator]
    assert any(row["gap_closed"] is not None for row in checked)  # the pair shares its space
    rates = [row[name] for row in checked for name in ("rate_before_steering", "rate_steered")]
    assert set(rates) <= {0, 0.5, 1}
    assert {row["kind"] for row in rows.values()} <= {"exclusive", "difference", "changed", "shared"}
    assert all(row["owner"] in ("a", "b") for row in rows.values() if row["shown_in"] == "internal")
    assert all(row["rho"] is None for name, row in rows.items() if str(name).startswith("d"))
    (trust,) = report.tables["crosscoder_quality"]
    assert (trust["block_a"], trust["block_b"]) == (2, 2)
    assert 0 < trust["fve_a"] < 1  # type: ignore[operator]
    assert trust["aligned_a"] == 1
    assert EXCLUSIVE in report.notes
    assert [model.role for model in report.others] == ["inside_a", "inside_b"]


@pytest.mark.slow
def test_the_same_command_goes_on_from_the_training_and_gives_the_same(
    report: Report, folder: Path, config: DiffConfig
) -> None:
    (states,) = (folder / "cache" / "inside").iterdir()
    before = {path.name: path.stat().st_mtime_ns for path in states.iterdir()}
    assert run(config, store=Store.in_folder(folder / "cache")) == report
    assert {path.name: path.stat().st_mtime_ns for path in states.iterdir()} == before


@pytest.mark.slow
def test_the_kept_dictionary_opened_as_a_published_one_finds_the_same(
    report: Report, folder: Path, config: DiffConfig
) -> None:
    (kept,) = (folder / "cache" / "inside").glob("*/dictionary")
    assert not list(kept.parent.glob("*.safetensors"))  # the checkpoints are gone
    other = replace(config, crosscoder=str(kept), dictionary_size=None)  # type: ignore[call-arg]
    opened = run(other, store=Store.in_folder(folder / "opened"))
    assert any(str(row["name"]).startswith("d") for row in opened.tables["crosscoder_features"])
    assert opened.tables["crosscoder_features"] == report.tables["crosscoder_features"]
    assert [each.heldout for each in opened.findings] == [each.heldout for each in report.findings]


@pytest.mark.slow
def test_several_depths_have_a_dictionary_each_and_one_list(report: Report, folder: Path, config: DiffConfig) -> None:
    other = replace(config, depth=(0.75, 0.5), features=8, steer=0)  # type: ignore[call-arg]
    both = run(other, store=Store.in_folder(folder / "cache"))  # the dictionary after block 2 is kept
    rows = {str(row["name"]): row for row in both.tables["crosscoder_features"]}
    assert {name.split(".")[0] for name in rows} == {"2", "3"}
    assert len({row["index"] for row in rows.values()}) == len(rows)
    assert [row["block_a"] for row in both.tables["crosscoder_quality"]] == [2, 3]
    alone = {row["name"]: row for row in report.tables["crosscoder_features"]}
    of_two = {name.removeprefix("2."): row for name, row in rows.items() if name.startswith("2.")}
    assert of_two.keys() == alone.keys()
    assert all(row["rate_a"] == alone[name]["rate_a"] for name, row in of_two.items())
    assert len(both.findings) <= 8
    measured = [each.hypothesis.measure for each in both.findings]
    assert all(name.name in rows for each in measured for name in each.features)  # type: ignore[union-attr]
    assert {each.hypothesis.direction for each in both.findings if each.confirmed} == {"a", "b"}
    assert [(each.role, each.settings["block"]) for each in both.others] == [
        (role, block) for block in (2, 3) for role in ("inside_a", "inside_b")
    ]
    assert sum(note == EXCLUSIVE for note in both.notes) == 1
    assert load_report(save_report(both, folder / "several")) == both


@pytest.fixture(scope="module")
def published(folder: Path) -> str:
    """A crosscoder with a latent for either sign of every dimension of both models, saved for another depth."""
    eye, zeros = torch.eye(WIDTH), torch.zeros(2 * WIDTH, WIDTH)
    signs = torch.cat([eye, -eye])
    directions = (torch.cat([signs, zeros]), torch.cat([zeros, signs]))
    nothing = (torch.zeros(WIDTH), torch.zeros(WIDTH))
    weights = DictionaryWeights(directions, torch.zeros(4 * WIDTH), directions, nothing)
    source = DictionarySource(("base", "tuned"), ("", ""), (3, 3), "")
    normaliser = Normaliser(nothing, (1.0, 1.0))
    crosscoder = Crosscoder(weights, normaliser, threshold=0.0, k=8, partition=(0, 0), same_space=True, source=source)
    crosscoder.save(folder / "published")
    return str(folder / "published")


@pytest.mark.slow
def test_a_published_crosscoder_is_read_at_its_own_blocks_without_training(
    folder: Path, config: DiffConfig, published: str
) -> None:
    other = replace(config, crosscoder=published, dictionary_size=None, steer=0)  # type: ignore[call-arg]
    told = [stage.name for stage in estimate(other, Limits()).stages]
    assert "read inside" in told
    assert not any(name.startswith("train") for name in told)
    report = run(other, store=Store.in_folder(folder / "untrained"))
    (trust,) = report.tables["crosscoder_quality"]
    assert trust["fve_a"] == pytest.approx(1, abs=1e-4)
    assert trust["fve_b"] == pytest.approx(1, abs=1e-4)
    assert trust["rows_per_latent"] is None
    assert [model.settings["block"] for model in report.others if model.role.startswith("inside")] == [3, 3]
    assert any(note.startswith(f"The published crosscoder published of {4 * WIDTH} latents") for note in report.notes)
    assert not list((folder / "untrained").glob("inside/*"))
    assert load_report(save_report(report, folder / "published report")) == report


def test_a_published_crosscoder_of_other_models_is_refused(folder: Path, config: DiffConfig, published: str) -> None:
    other = replace(config, inside_b=BASE, crosscoder=published, dictionary_size=None)  # type: ignore[call-arg]
    with pytest.raises(ModelError, match=r"published was trained on base and tuned, expected base@\w+ and base@\w+"):
        run(other, store=Store.in_folder(folder / "refused"))


def test_settings_that_do_not_fit_a_published_crosscoder_are_refused(config: DiffConfig, published: str) -> None:
    for settings, message in (
        ({"crosscoder": published}, "--dictionary-size has no effect with --crosscoder"),
        ({"crosscoder": published, "dictionary_size": None, "null": True}, "--null has no effect with --crosscoder"),
        ({"crosscoder": published, "dictionary_size": None, "depth": (0.5, 0.75)}, "--depth is given several times"),
        ({"crosscoder_models": "a,b"}, "--crosscoder-models has no effect without --crosscoder"),
        ({"crosscoder": "nothing", "dictionary_size": None}, r"expected org/name\[@revision\]"),
        ({"crosscoder": published, "dictionary_size": None, "crosscoder_models": "a"}, "expected the crosscoder's two"),
    ):
        with pytest.raises(SettingError, match=message):
            check(replace(config, **settings), Limits())  # type: ignore[arg-type]


def test_weights_behind_recorded_sides_must_be_named(config: DiffConfig) -> None:
    with pytest.raises(SettingError, match=r"Name the weights behind it with --inside-b org/name"):
        check(replace(config, inside_b=None), Limits())  # type: ignore[call-arg]
    with pytest.raises(SettingError, match="--inside-a has no effect: model A has its own weights"):
        check(replace(config, model_a=BASE), Limits())
    with pytest.raises(SettingError, match="--inside-a is openai:x: expected org/name"):
        check(replace(config, inside_a="openai:x"), Limits())  # type: ignore[call-arg]


def test_zero_gpu_is_refused_with_what_to_do_instead(config: DiffConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    assert CROSSCODER.obstacle() == ""
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    with pytest.raises(SettingError, match=r"ZeroGPU lends a GPU for seconds.*--on jobs"):
        check(config, Limits())


def test_the_estimate_tells_operations_memory_and_disk(config: DiffConfig) -> None:
    told = estimate(config, Limits())
    stages = {stage.name: stage for stage in told.stages}
    assert stages["train crosscoder"].minutes < 1  # type: ignore[operator]
    assert stages["read inside"].calls == 2 * 60
    assert any("160 latents" in sentence and "GB of memory" in sentence for sentence in told.assumptions)
    twice = estimate(replace(config, depth=(0.5, 1.0)), Limits())  # type: ignore[call-arg]
    both = {stage.name: stage for stage in twice.stages}
    assert both["read inside"].calls == 2 * stages["read inside"].calls
    assert both["train crosscoder"].minutes > 2 * stages["train crosscoder"].minutes  # type: ignore[operator]
    assert any("At each of 2 depths one is trained" in sentence for sentence in twice.assumptions)
