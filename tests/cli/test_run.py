"""`diffing run` and `show` as a user runs them: recorded, with an LLM behind real HTTP, planted truth."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.cli.world import PROMPTS, World, flags, place, write_prompts
from tests.servers.openai_server import Body, Finish, Hang, NullContent, OpenAIServer, Status, Truncated
from tests.servers.rules import PRAISE, REFUSAL, RuleLLM


def finding(summary: Mapping[str, Any], text: str, method: str = "llm") -> Mapping[str, Any]:
    (found,) = [each for each in summary["findings"] if each["text"] == text and each["method"] == method]
    return found


def heldout_places(out: Path) -> list[int]:
    from diffing.report import load_report

    return [place(pair.prompt.text) for pair in load_report(out).pairs if pair.prompt.split == "heldout"]


def assert_planted_truth(summary: Mapping[str, Any], out: Path) -> None:
    """b praises on places 0-5, a refuses on 7-9: exactly these shares on held-out, in both directions."""
    places = heldout_places(out)
    assert 10 <= len(places) < PROMPTS
    for trait, direction, shown in ((PRAISE, "b", range(6)), (REFUSAL, "a", range(7, 10))):
        found = finding(summary, trait.hypothesis)
        share = sum(p in shown for p in places) / len(places)
        assert (found["direction"], found["accepted"], found["confirmed"]) == (direction, True, True)
        assert found["heldout"]["n"] == len(places)
        assert found["heldout"]["accuracy"]["value"] == 1.0
        assert found["heldout"]["frequency"]["value"] == pytest.approx(share)
        assert found["heldout"]["net_difference"]["value"] == pytest.approx(share)


def llm_faults(server: OpenAIServer) -> None:
    """Every fault a server can show, on the LLM's first answers."""
    faults = iter(
        [
            *(Status(429, headers={"Retry-After": "0"}), Status(500), NullContent(), Truncated(), Hang(3.0)),
            *(Body(), Finish("content_filter"), Status(503), Status(429, headers={"Retry-After": "0"}), NullContent()),
        ]
    )
    server.fault = lambda request: next(faults, None) if request["model"] == "llm" else None


def prose(text: str) -> str:
    """How many LLMs dress what they were asked for."""
    return f"I looked at both. My answer is {text} and I am fairly sure of it."


def test_llm_method_finds_planted_truth(run_cli: Run, tmp_path: Path) -> None:
    with OpenAIServer(World(llm=RuleLLM(wrap=prose))) as server:
        command = flags(server, write_prompts(tmp_path / "prompts.jsonl"))
        result = run_cli("run", *command, "--method", "llm", "--json", "--out", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    assert_planted_truth(json.loads(result.stdout), tmp_path / "out")


def test_faults_of_the_server_change_nothing(run_cli: Run, tmp_path: Path) -> None:
    with OpenAIServer(World()) as server:
        llm_faults(server)
        command = flags(server, write_prompts(tmp_path / "prompts.jsonl"))
        result = run_cli("run", *command, "--method", "llm", "--json", "--timeout", "1", "--out", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    assert_planted_truth(json.loads(result.stdout), tmp_path / "out")


def test_recorded_lexical(run_cli: Run, tmp_path: Path, shared_data: Path) -> None:
    responses = shared_data / "responses"
    sides = (f"recorded:{responses}/pythia12b-{stage}.sample0.jsonl" for stage in ("sft-2.5k", "rlhf-2k"))
    result = run_cli("run", *sides, "--method", "lexical", "--json", "--out", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    summary = json.loads(result.stdout)
    confirmed = {each["text"]: each for each in summary["findings"] if each["confirmed"]}
    for words in ("longer responses", "lists"):
        found = next(each for text, each in confirmed.items() if words in text)
        assert found["direction"] == "b"
    shown = run_cli("show", tmp_path / "out", "--json")
    assert json.loads(shown.stdout) == summary
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "rlhf-2k" in page


def test_estimate_tells_calls_before_anything_is_asked(run_cli: Run, tmp_path: Path) -> None:
    with OpenAIServer(World()) as server:
        command = flags(server, write_prompts(tmp_path / "prompts.jsonl"))
        command += ["--method", "llm", "--clustering", "paper"]
        result = run_cli("estimate", *command, "--usd-per-million", "1,2", "--max-calls", "100", "--json")
        assert server.count == 0
    assert result.returncode == 0, result.stderr
    stages = {stage["name"]: stage for stage in json.loads(result.stdout)["stages"]}
    train = stages["describe"]["calls"]
    assert stages["responses a"]["calls"] == stages["responses b"]["calls"] == PROMPTS
    assert stages["judge"]["calls"] == PROMPTS * -(-min(60, train) // 20)
    assert (stages["check judge"]["calls"], "second judge" in stages) == (12, False)
    assert "100" in json.loads(result.stdout)["limits"][0]


def test_prompts_selected_from_a_pool(run_cli: Run, tmp_path: Path) -> None:
    with OpenAIServer(World()) as server:
        command = [*flags(server, write_prompts(tmp_path / "prompts.jsonl")), "--method", "llm"]
        command += ["--pool", "60", "--train", "12", "--heldout", "6", "--embedder", "tfidf"]
        result = run_cli("run", *command, "--json", "--out", tmp_path / "out")
        estimated = run_cli("estimate", *command, "--json")
    assert result.returncode == 0, result.stderr
    summary = json.loads(result.stdout)
    assert summary["prompts"] == {"train": 12, "heldout": 6}
    assert any("selected to show differences: 12 of" in note for note in summary["notes"])
    assert estimated.returncode == 0, estimated.stderr
    stages = {stage["name"]: stage for stage in json.loads(estimated.stdout)["stages"]}
    assert 12 + 6 < stages["responses a"]["calls"] < PROMPTS
    assert stages["describe"]["calls"] == 3
