"""The method on a tiny pair with one planted difference, from the models' folders to the report."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from diffing.config import DiffConfig
from diffing.errors import DiffingError, ModelError
from diffing.hub import hub_api
from diffing.methods.adapters import causal_check, hybrid_preparation, method
from diffing.methods.adapters.branches import new_branches
from diffing.methods.adapters.hybrid_opening import BaseAndTuned
from diffing.methods.adapters.hybrid_preparation import published_reader
from diffing.methods.adapters.hybrid_reader import HybridReader
from diffing.methods.adapters.kept_branches import hash_of
from diffing.methods.adapters.trust import AdaptersTrust, measure_trust
from diffing.methods.exchanges import Exchange, UnreadableResponse
from diffing.methods.inside.side_models import open_side
from diffing.models.cache import Store
from diffing.models.local import LocalOptions
from diffing.outputs.dictionary import push_dictionary
from diffing.run import ModelBuilder, run
from diffing.types import FeatureMeasure, Message, Report, Side, ignore_progress
from tests.hub import LocalHub
from tests.hub.fixtures import hub
from tests.models.local import tiny
from tests.models.local.test_sources import save_adapter

__all__ = ["hub"]
TWO: tuple[tuple[str, Side], ...] = (("base", "a"), ("tuned", "b"))


def save_pair(folder: Path, kind: str = "llama") -> tuple[Path, Path]:
    """A base, and a copy of it with other MLPs."""
    base = tiny.save(folder / "base", kind)
    model = transformers.AutoModelForCausalLM.from_pretrained(base)
    with torch.no_grad():
        for block in model.model.layers:
            block.mlp.down_proj.weight += torch.randn(
                block.mlp.down_proj.weight.shape, generator=torch.Generator().manual_seed(3)
            )
    model.save_pretrained(folder / "tuned")
    tiny.tokenizer().save_pretrained(folder / "tuned")
    return base, folder / "tuned"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("adapters")
    save_pair(home)
    prompts = [f"question {n} {'and ' * (n % 3)}so on?" for n in range(36)]
    (home / "prompts.txt").write_text("\n".join(prompts))
    for side, word in (("a", "m?m?m?"), ("b", "ZZZ")):
        rows = [{"prompt": each, "response": f"{word} {n}"} for n, each in enumerate(prompts)]
        (home / f"{side}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return home


def config_of(folder: Path, **more: Any) -> Any:
    recorded = {
        "model_a": f"recorded:{folder / 'a.jsonl'}",
        "model_b": f"recorded:{folder / 'b.jsonl'}",
        "inside_a": str(folder / "base"),
        "inside_b": str(folder / "tuned"),
    }
    settings = {
        "prompts": str(folder / "prompts.txt"),
        "train": 24,
        "heldout": 12,
        "method": ("adapters",),
        "max_new_tokens": 6,
        "dtype": "float32",
        "adapter_features": 16,
        "adapter_tokens": 2000,
    }
    return DiffConfig(
        **{**(recorded if "model_b" not in more else {"model_a": str(folder / "base")}), **settings, **more}
    )


@pytest.fixture(scope="module", autouse=True)
def few_causal_checks() -> Iterator[None]:
    """One feature of each direction on two responses; the check itself has tests of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(method, "_CHECKED", 1)
        patch.setattr(causal_check, "RESPONSES", 2)
        yield


@pytest.fixture(scope="module")
def report(folder: Path) -> Report:
    return run(config_of(folder), store=Store.in_folder(folder / "cache"))


def test_features_that_differ_are_hypotheses_and_tested(report: Report) -> None:
    confirmed = [finding for finding in report.findings if finding.confirmed]
    assert confirmed
    for finding in report.findings:
        measure = finding.hypothesis.measure
        assert isinstance(measure, FeatureMeasure)
        assert measure.kind == "adapter"
        (feature,) = measure.features
        assert re.fullmatch(r"[01]\.\d+", feature.name)
        assert f"adapter feature {feature.name} (" in finding.hypothesis.text
        assert {judgement.judge for judgement in report.judgements} == {"measured"}


def test_the_report_says_how_far_to_trust_the_adapters(report: Report) -> None:
    notes = " ".join(report.notes)
    assert "with trained adapters between base@" in notes
    assert re.search(r"recover -?\d+% of what tuning changed in predictions", notes)
    assert "Without the adapters nothing of the change is left" in notes
    assert [row["block"] for row in report.tables["adapters_blocks"]] == [0, 1]
    assert {"name", "above", "raises", "causal", "kl_random"} <= set(report.tables["adapters_features"][0])


def test_features_that_do_not_differ_are_internal_rows(report: Report) -> None:
    rows = report.tables["adapters_features"]
    internal = [row for row in rows if row["shown_in"] == "internal"]
    assert internal
    assert not any(row["chosen"] for row in internal)
    assert {row["name"] for row in internal}.isdisjoint(
        feature.name
        for finding in report.findings
        for feature in finding.hypothesis.measure.features  # type: ignore[union-attr]
    )


def test_both_models_leave_the_memory_and_come_back(folder: Path, report: Report) -> None:
    made = ModelBuilder(config_of(folder), Store.in_folder(folder / "cache"), None).methods()[0]
    assert isinstance(made, method.AdaptersMethod)
    train, heldout = ([pair for pair in report.pairs if pair.prompt.split == split] for split in ("train", "heldout"))
    hypotheses = made.find_hypotheses(train).hypotheses
    made.heldout_records((), heldout, ignore_progress)
    assert not made._pair.tuned.in_memory
    assert not made._pair.base.in_memory
    new = replace(heldout[0], a=replace(heldout[0].a, text="m?m?m? 99"))
    again = {j.hypothesis_id: j.verdict for j in made.measure(hypotheses, [new])}
    before = {j.hypothesis_id: j.verdict for j in report.judgements if j.prompt_id == new.prompt.id}
    assert again == {name: before[name] for name in again}


def test_the_same_command_gives_the_same_report_and_trains_once(report: Report, folder: Path) -> None:
    before = {file: file.stat().st_mtime_ns for file in (folder / "cache" / "inside").iterdir()}
    assert len(before) == 1
    again = run(config_of(folder), store=Store.in_folder(folder / "cache"))
    assert again == report
    assert {file: file.stat().st_mtime_ns for file in (folder / "cache" / "inside").iterdir()} == before


def test_between_a_model_and_itself_nothing_is_found(folder: Path) -> None:
    same = config_of(folder, model_b=str(folder / "base"), sample_b=1, temperature=1.0, adapter_tokens=500)
    report = run(same, store=Store.in_folder(folder / "cache"))
    assert "predict the same: there is nothing that adapters recover" in " ".join(report.notes)
    assert not any(finding.confirmed for finding in report.findings)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("gpt2", "Adapters need one MLP in each block, .* is of type 'gpt2'"),
        ("mixtral", "'mixtral' .a mixture of experts has several."),
        ("qwen2", "expected one model_type, got llama for base.* and qwen2 for qwen2"),
    ],
)
def test_pairs_that_cannot_have_adapters_are_refused_before_anything_is_generated(
    folder: Path, tmp_path: Path, kind: str, message: str
) -> None:
    tiny.save(tmp_path / kind, kind)
    with pytest.raises(ModelError, match=message):
        run(config_of(folder, model_b=str(tmp_path / kind)), store=Store.in_folder(tmp_path / "cache"))


def test_a_side_without_weights_is_refused(folder: Path) -> None:
    with pytest.raises(DiffingError, match="--inside-b"):
        run(config_of(folder, model_b="openai:x@http://127.0.0.1:9/v1"), store=Store.in_folder(folder / "cache"))


def test_pushed_adapters_open_with_exactly_the_same_tensors_and_are_fetched_once(
    hub: LocalHub, folder: Path, report: Report, tmp_path: Path
) -> None:
    trainings = folder / "cache" / "inside"
    push_dictionary(report, trainings, "alice/adapters", api=hub_api(hub.add_user("alice")))
    card = hub.repo("alice/adapters").files()["README.md"].decode()
    assert "share of the change that they recover" in card
    assert re.search(r"\| features per block \| 16 \|", card)
    options = LocalOptions(device="cpu", dtype="float32")
    base, tuned = (open_side(str(folder / name), side, depth=1.0, options=options) for name, side in TWO)
    exchanges = [Exchange((Message("user", f"q{n}"),), "an answer") for n in range(4)]
    asked = []
    for _ in range(2):
        with pytest.MonkeyPatch.context() as patch:  # what so few steps train need not bring the models closer
            patch.setattr(hybrid_preparation, "measure_trust", lambda *_: AdaptersTrust(1, 2.0, 1.0, 0.5, (), 0.0, ()))
            reader = published_reader(BaseAndTuned(base, tuned), "alice/adapters", exchanges, tmp_path)
        asked.append(sum("model.safetensors" in request.path for request in hub.requests))
        reader.release()
        base.close()
        tuned.close()
    assert asked[0] == asked[1] > 0
    (quality,) = report.tables["adapters_quality"]
    assert hash_of(reader.branches) == quality["dictionary"]


def test_a_tuned_model_may_be_the_base_with_a_lora_adapter(folder: Path, tmp_path: Path) -> None:
    base = folder / "base"
    lora = save_adapter(base, tmp_path / "lora")  # of attention alone
    options = LocalOptions(device="cpu", dtype="float32")
    pair = BaseAndTuned(
        open_side(str(base), "a", depth=1.0, options=options),
        open_side(f"{base}+{lora}", "b", depth=1.0, options=options),
    )
    pair.check()
    reader = HybridReader(new_branches(2, 32, 4, seed=0), pair.hybrid, pair.tuned.tokens)
    chats = [reader.chat(Exchange((Message("user", f"q{n}"),), "an answer")) for n in range(4)]
    trust = measure_trust(reader.hybrid, [chat for chat in chats if not isinstance(chat, UnreadableResponse)])
    assert trust.base > 0.01
    assert trust.outside_mlps == 1
