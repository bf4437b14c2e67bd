"""A rerun after a fault that passed: it completes what was left out, says so, and loses nothing that was there."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from diffing.cli.existing_report import completes
from diffing.config import DiffConfig
from diffing.errors import SettingError
from diffing.models.base import Model, Sampling
from diffing.models.cache import CachedModel, Store
from diffing.models.scripted import ScriptedModel
from diffing.report import load_report, save_report
from diffing.run import run
from diffing.types import Completion, Conversation, Report
from tests.cli import recordings
from tests.cli.conftest import Run
from tests.cli.test_resume import contents
from tests.cli.test_wrong_input import assert_one_line
from tests.cli.world import PROMPTS, World, answer_of, flags, write_prompts
from tests.outputs.samples import medium_report
from tests.servers.openai_server import OpenAIServer, Status


def broken(number: int) -> Any:
    """A server that has no answer to one prompt of model b."""
    return lambda request: (
        Status(500) if request["model"] == "b" and f"item {number}." in str(request["messages"]) else None
    )


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    return ["--method", "lexical", "--prompts", str(write_prompts(tmp_path / "prompts.jsonl"))]


def models(server: OpenAIServer) -> list[str]:
    return [*flags(server, Path("unused"))[:2], "--concurrency", "4"]


def test_what_was_left_out_is_completed(tmp_path: Path) -> None:
    """As below, without a server and its patience."""
    fails = {"item 17."}
    prompts = write_prompts(tmp_path / "prompts.jsonl")

    def said(model: str) -> Model:
        def answer(conversation: Conversation, _: Sampling) -> Completion:
            prompt = conversation[-1].content
            broken = model == "b" and any(each in prompt for each in fails)
            return Completion("", "error") if broken else Completion(answer_of(model, prompt), "stop")

        return CachedModel(ScriptedModel(model, answer), Store(tmp_path / "completions.sqlite"))

    def made(before: Report | None = None) -> Report:
        config = DiffConfig("org/a", "org/b", method=("lexical",), prompts=str(prompts))
        return run(config, models=(said("a"), said("b")), before=before)

    first = made()
    save_report(first, tmp_path / "out")
    fails.clear()
    whole = made(first)
    assert completes(tmp_path / "out", first, whole) == "1 prompts that were left out before"
    save_report(whole, tmp_path / "out")
    assert completes(tmp_path / "out", whole, whole) is None
    stored = load_report(tmp_path / "out")
    assert len(stored.pairs) == PROMPTS
    assert made(stored) is stored  # nothing is left to do
    older = replace(stored, versions={**stored.versions, "diffing": "0"})
    assert made(older) == stored


@pytest.mark.slow
def test_what_a_passing_fault_left_out_is_completed(run_cli: Run, command: list[str], tmp_path: Path) -> None:
    with OpenAIServer(World()) as server:
        whole = run_cli("run", *models(server), *command, "--out", tmp_path / "whole", "--cache", tmp_path / "other")
        assert whole.returncode == 0, whole.stderr
        server.fault = broken(17)
        first = run_cli("run", *models(server), *command, "--out", tmp_path / "out")
        assert first.returncode == 0, first.stderr
        assert "1 prompts were left out" in first.stdout
        server.fault, before = None, server.count
        again = run_cli("run", *models(server), *command, "--out", tmp_path / "out")
        assert again.returncode == 0, again.stderr
        assert "Completed: 1 prompts that were left out before are in the report now." in again.stderr
        assert server.count - before == 1
        assert contents(tmp_path / "out") == contents(tmp_path / "whole")
        third = run_cli("run", *models(server), *command, "--out", tmp_path / "out")
        assert third.returncode == 0
        assert "Completed" not in third.stderr


def test_a_report_is_not_replaced_by_one_with_fewer_answers(tmp_path: Path) -> None:
    """The cache was lost, and now a prompt fails that had an answer."""
    report = medium_report(train=12, heldout=18)
    save_report(report, tmp_path)
    assert completes(tmp_path, report, report) is None
    with pytest.raises(SettingError, match=r"2 prompts that are not in this run.* Run the command again, or: give an"):
        completes(tmp_path, report, replace(report, pairs=report.pairs[2:]))
    other = replace(report.pairs[0], b=replace(report.pairs[0].b, text="another"))
    with pytest.raises(SettingError, match="other responses, of models with the same names"):
        completes(tmp_path, report, replace(report, pairs=(other, *report.pairs[1:])))
    assert load_report(tmp_path) == report


def test_replies_that_can_be_read_now_are_told(tmp_path: Path) -> None:
    report = medium_report(train=12, heldout=18)
    save_report(report, tmp_path)
    read = replace(report, usage=tuple(replace(each, unreadable=0) for each in report.usage))
    assert completes(tmp_path, report, read) == "31 replies that could not be read before"


def test_a_damaged_report_of_the_same_run_is_made_anew(run_cli: Run, tmp_path: Path) -> None:
    """As a kill in the middle of a save leaves it: its own advice, to rerun the diff, must work."""
    pair = recordings.pair(tmp_path)
    assert run_cli("run", *pair, "--out", tmp_path / "out").returncode == 0
    whole = contents(tmp_path / "out")
    (tmp_path / "out" / "responses.parquet").write_bytes(b"half")
    assert_one_line(run_cli("show", tmp_path / "out"), "responses.parquet", "Rerun the diff")
    assert_one_line(run_cli("run", *reversed(pair), "--out", tmp_path / "out"), "other settings")
    again = run_cli("run", *pair, "--out", tmp_path / "out")
    assert again.returncode == 0, again.stderr
    assert contents(tmp_path / "out") == whole


@pytest.mark.parametrize("content", ["{", '{"schema_version": 2}', json.dumps({"schema_version": 2, "settings": [1]})])
def test_a_report_of_which_nothing_can_be_told_is_not_replaced(run_cli: Run, tmp_path: Path, content: str) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "report.json").write_text(content)
    pair = recordings.pair(tmp_path)
    assert_one_line(run_cli("run", *pair, "--out", tmp_path / "out"), "settings cannot be read", "--overwrite")
    assert (tmp_path / "out" / "report.json").read_text() == content
    assert run_cli("run", *pair, "--out", tmp_path / "out", "--overwrite").returncode == 0
