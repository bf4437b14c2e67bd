"""What the start page is told, by a Hub that answers, refuses, or is silent."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from diffing.config import DiffConfig, Limits
from diffing.demo.config import FOLDER, demo_config
from diffing.view.preflight import BaseModelProposal, ModelSuggester, ModelSuggestions, RunPreviewer, find_run_options
from diffing.view.runs import OWN_MACHINE
from diffing.view.visitor import Visitor
from tests.hub import LocalHub
from tests.hub.fixtures import hub
from tests.waiting import DEADLINE

__all__ = ["hub"]

NOBODY = Visitor()
TINY = FOLDER / "models" / "base"


@pytest.fixture
def suggester() -> ModelSuggester:
    return ModelSuggester(seconds=DEADLINE)


@pytest.fixture(autouse=True)
def machine(hub: LocalHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of its own, and signed in itself, as a Space can be: no visitor may gain from that."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_TOKEN", hub.add_user("machine"))


def push(hub: LocalHub, folder: Path, name: str, card: str = "", *, without: str = "") -> None:
    """The tiny model with a card."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(TINY, folder)
    (folder / "README.md").write_text(f"---\n{card}\n---\n", encoding="utf-8")
    if without:
        (folder / without).unlink()
    hub.push_folder(name, folder)


def test_names_while_somebody_types(hub: LocalHub, suggester: ModelSuggester, tmp_path: Path) -> None:
    alice = Visitor(hub.add_user("alice"))
    push(hub, tmp_path / "model", "alice/writer-small", "pipeline_tag: text-generation")
    push(hub, tmp_path / "model", "alice/writer-hidden", "pipeline_tag: text-generation")
    push(hub, tmp_path / "model", "machine/writer", "pipeline_tag: text-generation")
    push(hub, tmp_path / "model", "alice/unlabelled")
    hub.make_private("alice/writer-hidden")
    hub.make_private("machine/writer")
    assert suggester.models("WRITER", NOBODY) == ModelSuggestions(("alice/writer-small",))
    assert set(suggester.models("writer", alice).names) == {"alice/writer-small", "alice/writer-hidden"}
    assert suggester.models("providers:writer", NOBODY).names == ("providers:alice/writer-small",)
    assert suggester.models("org/base+writer@main", NOBODY).names == ("org/base+alice/writer-small",)
    assert suggester.models("unlab", NOBODY).names == ("alice/unlabelled",)
    asked = len(hub.requests)
    for typed in ("writer", " writer", "w", "", "openai:writer", "x" * 500):
        suggester.models(typed, NOBODY)
    assert len(hub.requests) == asked, "remembered, or not worth asking"


def test_a_hub_that_refuses_or_is_silent_gives_a_reason(hub: LocalHub, suggester: ModelSuggester) -> None:
    hub.faults.add("GET", "/api/models", 503, times=1)
    refused = suggester.models("writer", NOBODY)
    assert (refused.names, "503" in refused.reason) == ((), True)
    hub.faults.add("GET", "/api/models", delay=2 * DEADLINE, times=1)
    assert "no answer in time" in ModelSuggester(seconds=0.3).models("writer", NOBODY).reason


def test_the_base_that_a_card_names_is_proposed(hub: LocalHub, suggester: ModelSuggester, tmp_path: Path) -> None:
    cards = {
        "tuned": "base_model: org/base",
        "adapter": "base_model: org/base\nbase_model_relation: adapter",
        "merge": "base_model: [org/base, org/other]",
        "self": "base_model: org/self",
        "none": "license: mit",
    }
    for name, card in cards.items():
        push(hub, tmp_path / "model", f"org/{name}", card)
    found = {name: suggester.base_of(f"org/{name}", NOBODY) for name in cards}
    assert found["tuned"] == BaseModelProposal("org/tuned", "org/base")
    assert found["adapter"] == BaseModelProposal("org/base+org/adapter", "org/base")
    assert [found[name].base for name in ("merge", "self", "none")] == [None] * 3
    assert "choose one of org/base, org/other" in found["merge"].reason
    assert found["none"].reason == "its card names no base model"
    assert "does not exist" in suggester.base_of("org/missing", NOBODY).reason
    assert suggester.base_of("/srv/model", NOBODY).base is None


def test_where_a_model_can_run_and_why_not(hub: LocalHub, tmp_path: Path) -> None:
    bob = Visitor(hub.add_user("bob"))
    push(hub, tmp_path / "model", "alice/open")
    push(hub, tmp_path / "model", "alice/gated", without="chat_template.jinja")
    hub.gate("alice/gated", granted=("bob",))
    header = {"w": {"dtype": "F32", "shape": [10**12], "data_offsets": [0, 4 * 10**12]}}
    head = json.dumps(header).encode()
    push(hub, tmp_path / "model", "alice/huge", without="model.safetensors")
    (tmp_path / "model" / "model.safetensors").write_bytes(len(head).to_bytes(8, "little") + head)
    hub.push_folder("alice/huge", tmp_path / "model")
    here, providers = find_run_options("alice/open", NOBODY)
    assert (here.obstacle, here.remark, here.model) == ("", "", "alice/open")
    assert (providers.obstacle.startswith("Sign in"), providers.sign_in, here.sign_in) == (True, True, False)
    here, providers = find_run_options("alice/gated", bob)
    assert (here.obstacle, "no chat template" in here.remark) == ("", True)
    assert "No provider serves it" in providers.obstacle
    refused = find_run_options("alice/gated", NOBODY)[0]  # though its files are here now
    assert ("gated" in refused.obstacle, refused.sign_in) == (True, True)
    assert "needs about" in find_run_options("alice/huge", NOBODY)[0].obstacle
    assert "names a folder" in find_run_options(str(tmp_path), NOBODY)[0].obstacle
    assert find_run_options(str(TINY), Visitor(rules=OWN_MACHINE))[0].obstacle == ""
    mapping = {"some": {"status": "live", "providerId": "x", "task": "conversational"}}
    mapping["dead"] = {**mapping["some"], "status": "error"}
    hub.faults.add("GET", "/alice/served$", 200, body={"id": "x", "inferenceProviderMapping": mapping})
    served = find_run_options("alice/served", bob)[1]
    assert (served.obstacle, served.remark, served.model) == ("", "Served by some", "providers:alice/served")
    assert "expected org/name" in find_run_options("alice/open@main", bob)[1].obstacle


def test_what_a_run_takes_and_what_is_in_its_way(hub: LocalHub, tmp_path: Path) -> None:
    previews = RunPreviewer()
    push(hub, tmp_path / "model", "alice/one")
    push(hub, tmp_path / "model", "alice/two")
    config = DiffConfig("alice/one", "alice/two")
    assert (
        previews.preview(replace(config, model_b=" "), Limits(), NOBODY).problem
        == "Enter model B, such as Qwen/Qwen3-4B"
    )
    whole = previews.preview(config, Limits(), NOBODY)
    assert whole.problem == ""
    assert whole.estimate is not None
    minutes = [stage.minutes for stage in whole.estimate.stages]
    assert len(minutes) == 2
    assert all(each is not None and each > 0 for each in minutes)
    asked = len(hub.requests)
    less = previews.preview(replace(config, max_new_tokens=10), Limits(), NOBODY).estimate
    assert less is not None
    assert (less.total.minutes or 0) < (whole.estimate.total.minutes or 0)
    assert len(hub.requests) == asked, "the sizes are remembered"
    hub.make_private("alice/two")
    alice = Visitor(hub.add_user("alice"))
    assert previews.preview(config, Limits(), alice).problem == ""
    refused = RunPreviewer().preview(config, Limits(), NOBODY)
    assert ("alice/two does not exist, is private" in refused.problem, refused.sign_in) == (True, True)
    asks = replace(config, model_b="providers:alice/one")
    assert previews.preview(asks, Limits(), NOBODY).sign_in
    assert previews.preview(asks, Limits(), alice).problem == ""
    assert "not known" in previews.preview(replace(config, method=("magic",)), Limits(), NOBODY).problem
    assert "more than a run may use" in previews.preview(replace(config, train=9000), Limits(), NOBODY).problem
    assert previews.preview(demo_config(), Limits(), NOBODY).estimate is not None
