"""A published diff is not taken for one's own when its judge or its prompts are no longer what they were."""

from dataclasses import replace
from pathlib import Path

import huggingface_hub.constants
import pytest

from diffing.cli.reuse_and_jobs import report_from_elsewhere
from diffing.config import DiffConfig, HubOptions, Limits, settings_of
from diffing.demo.config import FOLDER
from diffing.errors import HubError
from diffing.hub import BoundedApi, head_of, hub_api
from diffing.outputs.dataset import outdated_source, push_report
from diffing.run_prompts import load_run_prompts
from diffing.types import Message, ModelInfo, Pair, Report
from diffing.versions import versions
from tests.hub import LocalHub
from tests.hub.fixtures import hub
from tests.outputs.samples import medium_report

__all__ = ["hub"]
CONFIG = DiffConfig("alice/a", "alice/b", llm="alice/judge", prompts="alice/asked:main/test")


@pytest.fixture
def api(hub: LocalHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BoundedApi:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    token = hub.add_user("alice")
    monkeypatch.setenv("HF_TOKEN", token)
    api = hub_api(token)
    for name, folder in (("a", "base"), ("b", "tuned")):
        hub.push_folder(f"alice/{name}", FOLDER / "models" / folder)
    for name in ("judge", "embedder"):
        push_something(api, f"alice/{name}", "model")
    push_something(api, "alice/asked", "dataset")
    return api


def push_something(api: BoundedApi, name: str, kind: str) -> None:
    api.create_repo(name, repo_type=kind, exist_ok=True)
    number = len(api.list_repo_commits(name, repo_type=kind))
    api.upload_file(path_or_fileobj=b"x", path_in_repo=f"{number}.txt", repo_id=name, repo_type=kind)


def made_now(api: BoundedApi, config: DiffConfig = CONFIG) -> Report:
    """What a run of the config would tell of itself at this moment."""
    report = medium_report(train=4, heldout=4)
    judge = f"alice/judge@{head_of(api, 'alice/judge')}"
    embedder = f"alice/embedder@{head_of(api, 'alice/embedder')}"
    source = f"alice/asked@{head_of(api, 'alice/asked', repo_type='dataset')}:main/test"
    return replace(
        report,
        model_a=replace(report.model_a, id=f"alice/a@{head_of(api, 'alice/a')}"),
        model_b=replace(report.model_b, id=f"alice/b@{head_of(api, 'alice/b')}"),
        others=(ModelInfo(judge, "differ", {"embedder": embedder, "temperature": 0.0}), ModelInfo(judge, "judge")),
        pairs=tuple(replace(pair, prompt=replace(pair.prompt, source=source)) for pair in report.pairs),
        settings=settings_of(config),
        versions=versions(),
    )


@pytest.mark.parametrize(("name", "kind"), [("judge", "model"), ("embedder", "model"), ("asked", "dataset")])
def test_what_moved_is_named(name: str, kind: str, api: BoundedApi) -> None:
    report = made_now(api)
    specs = ("alice/a", "alice/b", "alice/judge")
    assert outdated_source(report, specs, CONFIG.prompts, api) is None
    push_something(api, f"alice/{name}", kind)
    assert outdated_source(report, specs, CONFIG.prompts, api) == f"alice/{name}"


def test_a_pinned_judge_does_not_move(api: BoundedApi) -> None:
    report = made_now(api)
    pinned = f"alice/judge@{head_of(api, 'alice/judge')}"
    push_something(api, "alice/judge", "model")
    assert outdated_source(report, (pinned,), CONFIG.prompts, api) is None
    api.delete_repo("alice/judge")
    with pytest.raises(HubError, match="alice/judge does not exist"):
        outdated_source(report, (pinned,), CONFIG.prompts, api)


def test_it_is_computed_anew_and_the_reason_told(api: BoundedApi, capsys: pytest.CaptureFixture[str]) -> None:
    push_report(made_now(api), "alice/diff", api=api)
    options = HubOptions(reuse=True)
    assert report_from_elsewhere(CONFIG, Limits(), options, None)[0] is not None
    assert "reused alice/diff" in capsys.readouterr().err
    push_something(api, "alice/judge", "model")
    assert report_from_elsewhere(CONFIG, Limits(), options, None)[0] is None
    assert "alice/diff is not reused, since alice/judge is not the same any more" in capsys.readouterr().err


@pytest.mark.parametrize("change", [{"llm": "openai:judge@http://127.0.0.1:8000/v1"}, {"model_b": "recorded:u/d"}])
def test_a_name_that_means_something_else_elsewhere_is_not_looked_for(
    change: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert report_from_elsewhere(replace(CONFIG, **change), Limits(), HubOptions(reuse=True), None)[0] is None
    assert "can mean another model elsewhere" in capsys.readouterr().err


def test_what_somebody_else_published_is_told(
    hub: LocalHub, api: BoundedApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    push_report(made_now(api), "alice/diff", api=api)
    monkeypatch.setenv("HF_TOKEN", hub.add_user("bob"))
    assert report_from_elsewhere(CONFIG, Limits(), HubOptions(reuse=True), None)[0] is not None
    assert "somebody else published it, and it was not checked" in capsys.readouterr().err


def test_the_prompts_that_come_with_the_package_are_compared(
    api: BoundedApi, capsys: pytest.CaptureFixture[str]
) -> None:
    config = DiffConfig("alice/a", "alice/b", train=4, heldout=4)
    report = replace(made_now(api, config), others=())
    prompts = load_run_prompts(config, ())
    pairs = tuple(
        Pair(prompt, *(replace(each, prompt_id=prompt.id) for each in (pair.a, pair.b)))
        for pair, prompt in zip(report.pairs, prompts, strict=True)
    )
    push_report(replace(report, pairs=pairs, judgements=(), findings=()), "alice/diff", api=api)
    assert report_from_elsewhere(config, Limits(), HubOptions(reuse=True), None)[0] is not None
    changed = replace(pairs[0], prompt=replace(pairs[0].prompt, messages=(Message("user", "Another wording."),)))
    push_report(replace(report, pairs=(changed, *pairs[1:]), judgements=(), findings=()), "alice/diff", api=api)
    assert report_from_elsewhere(config, Limits(), HubOptions(reuse=True), None)[0] is None
    assert "since the set of prompts that comes with diffing is not the same any more" in capsys.readouterr().err
