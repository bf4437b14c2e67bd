"""Models of a Hub that speaks real HTTP: found, measured, downloaded once, and one clear line for each thing that can
go wrong."""

import errno
import re
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import huggingface_hub.constants
import pytest
import torch

from diffing.errors import DiffingError, HubError, ModelError, SettingError
from diffing.hub import hub_api, hub_errors
from diffing.model_ref import ModelPlace, ModelRef
from diffing.models.base import Sampling
from diffing.models.local import LocalModel, LocalOptions
from diffing.models.local.sources import open_source
from tests.hub import LocalHub
from tests.models.local.test_sources import save_adapter, shard
from tests.models.local.tiny import MIXED

CPU = LocalOptions(device="cpu")


@pytest.fixture(scope="module")
def folders(model_folder: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A model, the same with pickled weights, an adapter, and a folder with nothing of use."""
    made = {name: tmp_path_factory.mktemp(name) for name in ("model", "pickled", "adapter", "empty")}
    for name in ("model", "pickled"):
        shutil.copytree(model_folder("llama"), made[name], dirs_exist_ok=True)
    weights = made["pickled"] / "model.safetensors"
    weights.unlink()
    torch.save({}, made["pickled"] / "pytorch_model.bin")
    save_adapter(model_folder("llama"), made["adapter"])
    (made["empty"] / "README.md").write_text("nothing")
    (made["model"] / "consolidated.safetensors").write_bytes(bytes(1000))  # the same weights in another format
    return made


@pytest.fixture
def hub(folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    """The Hub, and an empty cache for what is downloaded from it."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
    with LocalHub() as local:
        for name in ("model", "gated", "private", "pickled", "adapter", "empty"):
            local.push_folder(f"org/{name}", folders[name if name in folders else "model"])
        local.gate("org/gated", granted=("dave",))
        local.make_private("org/private")
        local.add_org("org", members=("carol",))
        model = local.repo("org/model")
        model.refs["refs/heads/tuned"] = model.head
        yield local


def downloads(hub: LocalHub) -> list[str]:
    """Names of the files that were sent."""
    paths = [request.path for request in hub.requests if request.method == "GET" and "/resolve/" in request.path]
    return [path.rsplit("/", 1)[1] for path in paths]


def load(hub: LocalHub, spec: str, token: str | bool | None = False) -> LocalModel:
    return LocalModel.load(spec, options=CPU, token=token, endpoint=hub.endpoint)


def test_a_model_is_measured_before_and_loaded_from_its_commit(hub: LocalHub, folders: dict[str, Path]) -> None:
    model = load(hub, "org/model@tuned")
    assert model.id == f"org/model@{hub.repo('org/model').head}"
    weights = (folders["model"] / "model.safetensors").stat().st_size
    assert model.size.files == ("model.safetensors",)
    assert (model.size.stored_bytes, model.size.missing_bytes) == (weights, weights)
    local = LocalModel.load(str(folders["model"]), options=CPU)
    assert model.size.stored_as == local.size.stored_as
    hub.requests.clear()
    sampling = Sampling(max_new_tokens=6)
    assert model.generate(MIXED[:3], sampling) == local.generate(MIXED[:3], sampling)
    assert sorted(downloads(hub)) == [
        "chat_template.jinja", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
    ]  # fmt: skip
    assert load(hub, "org/model").size.missing_bytes == 0


def test_base_and_adapter_have_both_commits(hub: LocalHub) -> None:
    base, adapter = hub.repo("org/model").head, hub.repo("org/adapter").head
    model = load(hub, f"org/model@{base}+org/adapter@main")
    assert model.id == f"org/model@{base}+org/adapter@{adapter}"
    assert model.generate(MIXED[:1], Sampling(max_new_tokens=2))[0].completion_tokens == 2


def test_a_cached_model_needs_no_network(hub: LocalHub) -> None:
    before = load(hub, "org/model")
    answers = before.generate(MIXED[:1], Sampling(max_new_tokens=2))
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{unused.getsockname()[1]}"
        model = LocalModel.load("org/model", options=CPU, token=False, endpoint=nowhere)
        assert model.id == before.id
        assert model.generate(MIXED[:1], Sampling(max_new_tokens=2)) == answers
        with pytest.raises(HubError, match=r"Cannot reach the Hub for org/model .*check the network"):
            LocalModel.load("org/model@tuned", options=CPU, token=False, endpoint=nowhere)


@pytest.mark.parametrize(
    ("spec", "kind", "line"),
    [
        ("org/none", HubError, "org/none does not exist on the Hub, or is private and you are not signed in"),
        ("org/private", HubError, "org/private does not exist on the Hub, or is private .* run `hf auth login`"),
        ("org/gated", HubError, "org/gated is gated: ask for access at https://huggingface.co/org/gated, then sign in"),
        ("org/model@none", HubError, "org/model has no revision none: expected a branch, tag or commit of it"),
        ("org/pickled", ModelError, r"org/pickled has only pickled weights \(pytorch_model.bin\).* allow pickle"),
        ("org/empty", ModelError, "org/empty has no config.json: expected the files of a model in transformers"),
        ("org/adapter", SettingError, r"org/adapter is an adapter: .* as in .*\+org/adapter"),
        ("org/model+org/model", ModelError, r"org/model has no adapter_config.json: expected the files of an adapter"),
        ("org/model+org/none", HubError, "org/none does not exist"),
    ],
)  # fmt: skip
def test_what_the_hub_refuses(hub: LocalHub, spec: str, kind: type[DiffingError], line: str) -> None:
    with pytest.raises(kind, match=line) as caught:
        load(hub, spec)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("spec", "user"), [("org/gated", "dave"), ("org/private", "carol")])
def test_a_token_opens_them(hub: LocalHub, spec: str, user: str) -> None:
    assert load(hub, spec, token=hub.add_user(user)).id == f"{spec}@{hub.repo(spec).head}"


def test_a_bad_token_is_named_but_not_shown(hub: LocalHub) -> None:
    with pytest.raises(
        HubError, match=r"refused the token \(401\): it is wrong or expired; run `hf auth login`"
    ) as caught:
        load(hub, "org/model", token="hf_stolen")
    assert "hf_stolen" not in str(caught.value)
    assert "hf_stolen" not in repr(load(hub, "org/model").__dict__)


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (403, r"may not read org/model \(403: as planted\)"),
        (429, r"slow down \(429\) for org/model"),
        (410, "answered 410 for org/model"),
    ],
)
def test_other_answers(hub: LocalHub, status: int, line: str) -> None:
    hub.faults.add(status=status, times=1000)
    with pytest.raises(HubError, match=line):
        load(hub, "org/model")


def test_a_full_disk() -> None:
    with pytest.raises(HubError, match="disk is full while downloading org/model: free space, or point HF_HOME"):
        with hub_errors("org/model"):
            raise OSError(errno.ENOSPC, "No space left on device")


def test_no_network() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        api = hub_api(token=False, endpoint=f"http://127.0.0.1:{unused.getsockname()[1]}")
        with pytest.raises(HubError, match="Cannot reach the Hub for org/never-seen"):
            open_source(ModelRef(ModelPlace.HUB, "org/never-seen"), api)


def test_a_shard_that_was_never_uploaded(hub: LocalHub, folders: dict[str, Path], tmp_path: Path) -> None:
    shutil.copytree(folders["model"], tmp_path / "sharded")
    names = shard(tmp_path / "sharded")
    hub.push_folder("org/sharded", tmp_path / "sharded")
    assert load(hub, "org/sharded").size.files == tuple(names)
    (tmp_path / "sharded" / names[-1]).unlink()
    hub.push_folder("org/incomplete", tmp_path / "sharded")
    with pytest.raises(ModelError) as caught:
        load(hub, "org/incomplete")
    assert str(caught.value) == (
        f"org/incomplete lacks 1 of its 4 weight files ({names[-1]}): its model.safetensors.index.json names them; get "
        "its files again."
    )


@pytest.mark.parametrize("index", ["{", "[]", '{"weight_map": {"a": "../x.safetensors"}}'])
def test_an_index_that_is_none(hub: LocalHub, folders: dict[str, Path], tmp_path: Path, index: str) -> None:
    shutil.copytree(folders["model"], tmp_path / "sharded")
    shard(tmp_path / "sharded")
    (tmp_path / "sharded" / "model.safetensors.index.json").write_text(index)
    hub.push_folder("org/sharded", tmp_path / "sharded")
    with pytest.raises(ModelError, match=r"^org/sharded: its model\.safetensors\.index\.json ") as caught:
        load(hub, "org/sharded")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors.index.json"])
def test_a_strangers_files_are_not_read_whatever_their_size(
    hub: LocalHub, folders: dict[str, Path], tmp_path: Path, name: str
) -> None:
    shutil.copytree(folders["model"], tmp_path / "large")
    (tmp_path / "large" / name).write_bytes(b"{}" + bytes(21_000_000).replace(b"\0", b" "))
    hub.push_folder("org/large", tmp_path / "large")
    with pytest.raises(ModelError, match=rf"its {re.escape(name)} has 21 MB, expected at most 20 MB: use another"):
        LocalModel.load("org/large", options=CPU, endpoint=hub.endpoint)
    assert downloads(hub) == []


def test_a_configuration_without_a_bottom(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("[" * 100_000)
    with pytest.raises(ModelError, match=r"its config\.json is not JSON \(maximum recursion"):
        LocalModel.load(str(tmp_path), options=CPU)
