"""`diffing prompts export`: an engine's batch job answers the requests, and its answers are read as recorded ones."""

import json
import shlex
from pathlib import Path

from tests.cli.conftest import Run
from tests.cli.test_wrong_input import assert_one_line
from tests.cli.world import PROMPTS, answer_of, write_prompts


def answer(requests: Path, answers: Path) -> None:
    """The output file of a batch job, as vLLM writes it; the answers come in another order."""
    lines = []
    for line in reversed(requests.read_text("utf-8").splitlines()):
        request = json.loads(line)
        said = answer_of(request["body"]["model"], request["body"]["messages"][-1]["content"])
        choice = {"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}
        body = {"object": "chat.completion", "model": request["body"]["model"], "choices": [choice]}
        response = {"status_code": 200, "body": body}
        lines.append(json.dumps({"custom_id": request["custom_id"], "response": response, "error": None}))
    answers.write_text("\n".join(lines), "utf-8")


def test_requests_go_out_and_answers_come_back(run_cli: Run, tmp_path: Path) -> None:
    prompts = write_prompts(tmp_path / "prompts.jsonl")
    flags = ["--prompts", prompts, "--seed", "3", "--system-prompt-b", "Be kind.", "--temperature", "0.7"]
    written = run_cli("prompts", "export", "a", "b", *flags, "--out", tmp_path / "batch")
    assert written.returncode == 0, written.stderr
    requests = {
        side: [json.loads(line) for line in (tmp_path / "batch" / f"{side}.requests.jsonl").read_text().splitlines()]
        for side in "ab"
    }
    assert [len(each) for each in requests.values()] == [PROMPTS, PROMPTS]
    first_a, first_b = requests["a"][0], requests["b"][0]
    assert first_a["custom_id"] == first_b["custom_id"]
    assert (first_a["method"], first_a["url"]) == ("POST", "/v1/chat/completions")
    assert [message["role"] for message in first_b["body"]["messages"]] == ["system", "user"]
    assert first_b["body"]["messages"][1:] == first_a["body"]["messages"]
    assert (first_a["body"]["temperature"], first_a["body"]["max_tokens"]) == (0.7, 1024)
    assert len({each["body"]["seed"] for each in requests["a"]}) == PROMPTS
    for side in "ab":
        answer(tmp_path / "batch" / f"{side}.requests.jsonl", tmp_path / "batch" / f"{side}.answers.jsonl")
    *_, last = written.stdout.splitlines()
    compared = run_cli(*shlex.split(last)[1:], "--method", "lexical", "--out", tmp_path / "out", "--json")
    assert compared.returncode == 0, compared.stderr
    summary = json.loads(compared.stdout)
    assert summary["prompts"] == {"train": 40, "heldout": 20} or sum(summary["prompts"].values()) == PROMPTS


def test_prompts_that_need_a_model_are_refused(run_cli: Run, tmp_path: Path) -> None:
    refused = run_cli("prompts", "export", "a", "b", "--pool", "900", "--out", tmp_path / "batch")
    assert_one_line(refused, "--pool and --suspect choose prompts by asking models")
