"""What a stranger's run may read: what the stranger may, and nothing of the machine. Tokens are written nowhere."""

import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from diffing.config import DiffConfig, Limits
from diffing.demo.config import FOLDER, demo_config
from diffing.errors import LimitError, SettingError
from diffing.view.runs import OWN_MACHINE, PUBLIC, RunManager
from diffing.view.runs.access import SignInError, check_access
from diffing.view.runs.run_child import RunOrder
from diffing.view.runs.run_store import RunTask
from diffing.view.runs.run_supervisor import environment
from diffing.view.runs.visitor_rules import allowed
from tests.hub import LocalHub
from tests.hub.fixtures import hub
from tests.servers.openai_server import OpenAIServer
from tests.view.runs.conftest import contents, ended
from tests.waiting import until

__all__ = ["hub"]

PAIR = DiffConfig("alice/base", "alice/tuned", prompts=demo_config().prompts, train=20, heldout=10, max_new_tokens=4)


@pytest.fixture
def manager(hub: LocalHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunManager]:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_TOKEN", hub.add_user("alice"))  # as a Space has one
    for name in ("base", "tuned"):
        hub.push_folder(f"alice/{name}", FOLDER / "models" / name)
        hub.gate(f"alice/{name}", granted=("bob",))
    made = RunManager(tmp_path / "desk", workers=1, rules=PUBLIC)
    yield made
    made.close()


@pytest.mark.usefixtures("quick_runs")
def test_weights_in_the_cache_are_for_those_who_may_read_them(
    hub: LocalHub, manager: RunManager, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    bob, carol = hub.add_user("bob"), hub.add_user("carol")
    nobodys = ended(manager, run_id := manager.start(PAIR, owner="x"))
    assert nobodys.state == "waiting"
    assert "sign in" in nobodys.reason
    manager.resume(run_id, owner="x", token=bob)
    assert ended(manager, run_id).state == "done"
    # now the files lie on this machine, and the run of somebody who may not read them ends as before
    carols = ended(manager, manager.start(PAIR, owner="carol", token=carol))
    assert carols.state == "waiting"
    assert "an account that may read it" in carols.reason
    assert ended(manager, manager.start(PAIR, owner="y")).state == "waiting"
    written = b"".join(contents(tmp_path).values()) + caplog.text.encode() + repr(vars(manager)).encode()
    assert b"alice/base" in written
    assert bob.encode() not in written
    assert carol.encode() not in written
    assert {request.user for request in hub.requests} == {None, "bob", "carol"}


REDIRECT = """
import httpx2, huggingface_hub
from tests.servers.router import ROUTER, _Redirect
huggingface_hub.set_client_factory(lambda: httpx2.Client(mounts={{ROUTER: _Redirect({url!r})}}))
"""


def test_a_run_that_needs_its_visitors_token_waits_for_the_visitor_after_a_restart(
    hub: LocalHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_TOKEN", hub.add_user("machine"))
    visitors = hub.add_user("visitor")
    for name in ("a", "b"):
        hub.push_folder(f"org/{name}", FOLDER / "models" / "base")
    config = DiffConfig("providers:org/a", "providers:org/b", train=12, heldout=6, concurrency=1)
    asked: list[str] = []

    def answer(request: dict[str, Any]) -> str:
        asked.append(request["model"])
        time.sleep(0.1)
        return "Great question! It is known." if request["model"] == "org/b" else "It is known."

    with OpenAIServer(answer) as server:
        (tmp_path / "path").mkdir()
        (tmp_path / "path" / "sitecustomize.py").write_text(REDIRECT.format(url=server.url), encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path / "path")
        manager = RunManager(tmp_path / "desk", workers=1)
        run_id = manager.start(config, owner="x", token=visitors)
        until(lambda: len(asked) > 3)
        manager.close()
        manager = RunManager(tmp_path / "desk", workers=1)
        waits = ended(manager, run_id)
        assert waits.state == "waiting"
        assert "Inference Providers need an account" in waits.reason
        manager.resume(run_id, owner="x", token=visitors)
        assert ended(manager, run_id).state == "done"
        manager.close()
        assert {headers["authorization"] for headers in server.headers} == {f"Bearer {visitors}"}
    assert len(asked) <= 2 * 18 + 1
    assert visitors.encode() not in b"".join(contents(tmp_path).values())


def test_what_providers_answered_for_a_private_model_is_for_its_owner(hub: LocalHub) -> None:
    alice, carol = hub.add_user("alice"), hub.add_user("carol")
    hub.push_folder("alice/secret", FOLDER / "models" / "base")
    hub.make_private("alice/secret")
    config = DiffConfig("providers:alice/secret", "providers:alice/secret:some", temperature=1, sample_b=1)
    check_access(config, alice)
    with pytest.raises(SignInError, match="alice/secret does not exist, or is private"):
        check_access(config, carol)
    with pytest.raises(SettingError, match="is not a dataset: expected org/name"):
        check_access(replace(config, model_a="recorded:alice/secret:of hers"), carol)


def test_a_strangers_run_is_started_without_the_machines_secrets(tmp_path: Path) -> None:
    own = {
        "PATH": "/bin",
        "HF_TOKEN": "hf_machine",
        "OPENAI_API_KEY": "sk",
        "OAUTH_CLIENT_SECRET": "s",
        "MY_PIN": "4711",
    }
    task = RunTask(PAIR, Limits())
    public = environment(own, RunOrder(task, tmp_path, tmp_path, True, "hf_visitor"))
    assert not {"hf_machine", "sk", "s", "4711", "hf_visitor"} & set(public.values())
    assert (public["PATH"], public["HF_HUB_DISABLE_IMPLICIT_TOKEN"]) == ("/bin", "0")
    nobody = environment(own, RunOrder(task, tmp_path, tmp_path, True, None))
    assert nobody["HF_HUB_DISABLE_IMPLICIT_TOKEN"] == "1"
    assert environment(own, RunOrder(task, tmp_path, tmp_path, False, None))["HF_TOKEN"] == "hf_machine"
    assert "hf_visitor" not in repr(RunOrder(task, tmp_path, tmp_path, True, "hf_visitor"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model_a": "/etc"}, "--model-a names a file or folder"),
        ({"model_a": "~/models"}, "--model-a names a file or folder"),
        ({"model_a": "org/base+/srv/adapter"}, "--model-a names a file or folder"),
        ({"model_a": "recorded:/etc/passwd"}, "--model-a names a file or folder"),
        ({"prompts": "../secret.txt"}, "--prompts names a file or folder"),
        ({"llm": "org/x", "rater": ("/srv/models/x",)}, "--rater names a file or folder"),
        ({"model_b": "openai:x@http://169.254.169.254/v1"}, "--model-b names a server"),
        ({"base_url": "http://localhost:1/v1"}, "--base-url names a server"),
        ({"trust_remote_code": True}, "runs code"),
        ({"allow_pickle": True}, "runs code"),
        ({"concurrency": 500}, "at most --concurrency 16"),
        ({"model_a": "recorded:tests/view@main:default"}, "--model-a names a file or folder"),
        ({"prompts": "diffing/demo@main"}, "--prompts names a file or folder"),
        ({"sae": "goodfire-llama-3.1-8b-instruct/layer_19"}, "--sae alone does not say which model reads"),
        ({"system_prompt_a": "Use hf_abcdefghijklmnopqrstuvwx"}, "--system-prompt-a holds a token"),
        ({"system_prompt_a": "hf_oauth_abcdefghijklmnopqrstuvwx"}, "--system-prompt-a holds a token"),
        ({"train": 0}, "--train is 0"),
    ],
)
def test_a_stranger_may_not_name_what_is_the_machines(change: dict[str, object], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        allowed(replace(PAIR, **change), Limits(), PUBLIC)  # type: ignore[arg-type]


def test_hard_limits() -> None:
    with pytest.raises(LimitError, match="6000 prompts are more than a run may use here: expected at most 3000"):
        allowed(replace(PAIR, train=4000, heldout=2000), Limits(), PUBLIC)
    with pytest.raises(LimitError, match="9000 tokens per response"):
        allowed(replace(PAIR, max_new_tokens=9000), Limits(), PUBLIC)
    assert allowed(PAIR, Limits(max_calls=7), PUBLIC) == Limits(max_calls=7)
    priced = replace(PAIR, usd_per_million="1,1")
    assert allowed(priced, Limits(max_usd=1e9), PUBLIC) == Limits(PUBLIC.max_calls, PUBLIC.max_usd)
    assert allowed(priced, Limits(), OWN_MACHINE) == Limits()
    assert allowed(demo_config(), Limits(), PUBLIC) == Limits(PUBLIC.max_calls)


@pytest.mark.usefixtures("quick_runs")
def test_a_run_that_goes_on_for_ever_is_ended(tmp_path: Path) -> None:
    manager = RunManager(tmp_path / "desk", workers=1, rules=replace(PUBLIC, max_hours=0.0001))
    over = ended(manager, manager.start(demo_config(), owner="x"))
    manager.close()
    assert (over.state, over.reason[:58]) == ("failed", "The run took 0.0001 hours, the longest that a run may take")


def test_runs_that_are_over_are_removed_when_others_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    days = [0.0]
    monkeypatch.setattr("diffing.jobs.clock.Clock.now", property(lambda clock: 86400 * days[0] + time.monotonic()))
    rules = replace(PUBLIC, keep_runs=1, keep_days=1.0)
    manager = RunManager(tmp_path / "desk", workers=0, rules=rules)
    first, second = (manager.start(PAIR, owner=owner) for owner in "xy")
    waits = manager.start(PAIR, owner="z")
    for run_id in (first, second):
        manager.report_folder(run_id).mkdir(parents=True)
        manager.cancel(run_id)
    third = manager.start(PAIR, owner="x")
    assert [manager.removed(run_id) for run_id in (first, second, waits)] == [True, False, False]
    assert [manager.report_folder(run_id).exists() for run_id in (first, second)] == [False, True]
    days[0] = 1.0
    manager.start(PAIR, owner="y")
    assert manager.state(second) is None
    assert {manager.state(run_id).state for run_id in (waits, third)} == {"queued"}  # type: ignore[union-attr]
    assert not manager.removed("never there")
    manager.close()


def test_a_run_goes_on_under_whoever_began_it(tmp_path: Path) -> None:
    manager = RunManager(tmp_path / "desk", workers=0, rules=PUBLIC)
    run_id = manager.start(PAIR, owner="x")
    manager.cancel(run_id)
    for _ in range(2):
        manager.start(PAIR, owner="x")
    with pytest.raises(LimitError, match="2 of your runs are queued or running"):
        manager.resume(run_id)
    manager.resume(run_id, owner="y")
    assert manager.state(run_id).place == 3  # type: ignore[union-attr]
    manager.close()


def test_one_visitor_does_not_fill_the_line(tmp_path: Path) -> None:
    manager = RunManager(tmp_path / "desk", workers=0, rules=replace(PUBLIC, max_waiting=3))
    for _ in range(2):
        manager.start(PAIR, owner="x")
    with pytest.raises(LimitError, match="2 of your runs are queued or running"):
        manager.start(PAIR, owner="x")
    manager.start(PAIR, owner="y")
    with pytest.raises(LimitError, match="3 runs are queued"):
        manager.start(PAIR, owner="z")
    manager.close()
    assert b'"x"' not in b"".join(contents(tmp_path).values())
