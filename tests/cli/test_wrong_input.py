"""Whatever a user can mend is one line on standard error: what was expected, what was got, what to do. Exit code 2."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli import recordings
from tests.cli.conftest import Run

_LOGGED = ("INFO ", " " * 9)
"""What lines of the log begin with, and where they go on."""


def assert_one_line(result: object, *words: str) -> None:
    """Exit code 2, one line, no traceback, with these words in it."""
    # how big the models are is told before anything can go wrong with them
    stderr = "\n".join(line for line in result.stderr.strip().splitlines() if not line.startswith(_LOGGED))
    assert result.returncode == 2, f"{result.returncode}: {stderr}"
    assert "Traceback" not in stderr
    assert len(stderr.splitlines()) == 1, stderr
    for word in words:
        assert word in stderr, f"{word!r} is not in {stderr!r}"


Spoil = Callable[[list[dict[str, str]]], list[str]]


def lines(rows: list[dict[str, str]]) -> list[str]:
    return [json.dumps(row) for row in rows]


def malformed(rows: list[dict[str, str]]) -> list[str]:
    made = lines(rows)
    made[16] = made[16][:-3]
    return made


def duplicate_id(rows: list[dict[str, str]]) -> list[str]:
    rows[9]["id"] = rows[4]["id"]
    return lines(rows)


def one_sided(rows: list[dict[str, str]]) -> list[str]:
    return lines(rows[:50])


def other_prompts(rows: list[dict[str, str]]) -> list[str]:
    return lines([row | {"prompt": f"Something else entirely, {i}", "id": f"q{i}"} for i, row in enumerate(rows)])


def changed_prompt(rows: list[dict[str, str]]) -> list[str]:
    rows[7]["prompt"] = "Another question under the same id"
    return lines(rows)


def no_response(rows: list[dict[str, str]]) -> list[str]:
    return lines([{key: value for key, value in row.items() if key != "response"} for row in rows])


def null_response(rows: list[dict[str, str]]) -> list[str]:
    return lines([row | ({"response": None} if i == 11 else {}) for i, row in enumerate(rows)])


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (malformed, ("b.jsonl", "line 17")),
        (duplicate_id, ("b.jsonl", "p004", "10")),
        (one_sided, ("60", "50", "--only-common")),
        (other_prompts, ("prompt",)),
        (changed_prompt, ("prompt",)),
        (no_response, ("b.jsonl", "response")),
        (null_response, ("b.jsonl", "line 12")),
        (lambda rows: [], ("b.jsonl", "empty")),
    ],
    ids=["malformed", "duplicate-id", "one-sided", "other-prompts", "changed-prompt", "no-column", "null", "empty"],
)
def test_spoilt_recording(run_cli: Run, tmp_path: Path, spoil: Spoil, words: tuple[str, ...]) -> None:
    a, _ = recordings.pair(tmp_path)
    b = tmp_path / "b.jsonl"
    b.write_text("\n".join(spoil(recordings.rows("lab/praises", "Great question! "))), encoding="utf-8")
    assert_one_line(run_cli("run", a, f"recorded:{b}", "--out", tmp_path / "out"), *words)
    assert not (tmp_path / "out" / "report.json").exists()


def test_only_common_prompts_are_compared_when_asked(run_cli: Run, tmp_path: Path) -> None:
    a, b = recordings.pair(tmp_path)
    (tmp_path / "b.jsonl").write_text("\n".join(one_sided(recordings.rows("lab/praises", "Great question! "))))
    result = run_cli("run", a, b, "--only-common", "--json", "--out", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    assert any("10" in note and "left out" in note for note in json.loads(result.stdout)["notes"])


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--heldout", "0"), ("--heldout", "at least 1")),
        (("--method", "magic"), ("magic", "lexical")),
        (("--method", "llm"), ("--llm",)),
        (("--max-usd", "1"), ("--usd-per-million",)),
        (("--usd-per-million", "cheap"), ("cheap", "0.15,0.60")),
        (("--prompts", "missing.jsonl"), ("missing.jsonl",)),
        (("--quantization-a", "3bit"), ("3bit", "4bit")),
        (("--judging", "fast"), ("fast", "thrift or full")),
        (("--llm", "openai:any"), ("--base-url",)),
        (("--llm", "gpt:any"), ("gpt:", "providers:")),
        (("--domain", "cooking", "--prompts", "bundled"), ("cooking", "code: data")),
        (("--pool", "1000"), ("--pool 1000", "--train 1000", "nothing would be left")),
        (("--pool", "60", "--train", "50", "--heldout", "9"), ("no more than are compared", "larger --pool")),
        (("--pool-by", "tokens"), ("--pool-by", "--pool")),
        (("--pool", "9", "--pool-by", "tokens", "--train", "4", "--heldout", "2"), ("run here", "--pool-by responses")),
        (("--suspect", "medicine"), ("--suspect", "--llm")),
        (("--suspect", "medicine", "--llm", "openai:x@http://127.0.0.1:9"), ("recorded:", "answer new prompts")),
    ],
    ids=lambda value: value[-1] if isinstance(value, tuple) else None,
)
def test_wrong_setting(run_cli: Run, tmp_path: Path, flags: tuple[str, ...], words: tuple[str, ...]) -> None:
    assert_one_line(run_cli("run", *recordings.pair(tmp_path), *flags, "--out", tmp_path / "out"), *words)


def test_missing_recording(run_cli: Run, tmp_path: Path) -> None:
    a, _ = recordings.pair(tmp_path)
    assert_one_line(run_cli("run", a, f"recorded:{tmp_path}/nowhere.jsonl"), "nowhere.jsonl")


def test_prompts_in_an_empty_file(run_cli: Run, tmp_path: Path) -> None:
    (tmp_path / "none.txt").write_text("\n\n")
    a, b = recordings.pair(tmp_path)
    assert_one_line(run_cli("run", a, b, "--prompts", tmp_path / "none.txt"), "none.txt")


def test_malformed_prompt_names_its_line(run_cli: Run, tmp_path: Path) -> None:
    rows = [json.dumps({"prompt": f"Question {i}?"}) for i in range(30)]
    rows[16] = '{"prompt": "Question'
    (tmp_path / "prompts.jsonl").write_text("\n".join(rows))
    a, b = recordings.pair(tmp_path)
    assert_one_line(run_cli("run", a, b, "--prompts", tmp_path / "prompts.jsonl"), "prompts.jsonl", "line 17")


def test_same_model_twice_would_answer_the_same(run_cli: Run, tmp_path: Path) -> None:
    assert_one_line(run_cli("run", "org/name", "org/name"), "--sample-b 1")


def test_folder_that_is_no_model(run_cli: Run, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    assert_one_line(run_cli("run", tmp_path / "model", "org/name"), "config.json")


def test_no_network(run_cli: Run, tmp_path: Path) -> None:
    result = run_cli("run", "org/one", "org/two", env={"HF_ENDPOINT": "http://127.0.0.1:9"})
    assert_one_line(result, "org/one", "reach")


def test_report_that_is_none(run_cli: Run, tmp_path: Path) -> None:
    assert_one_line(run_cli("show", tmp_path), "report.json")


def test_report_of_another_run_is_not_replaced(run_cli: Run, tmp_path: Path) -> None:
    a, b = recordings.pair(tmp_path)
    assert run_cli("run", a, b, "--out", tmp_path / "out").returncode == 0
    before = (tmp_path / "out" / "report.json").read_bytes()
    assert_one_line(run_cli("run", b, a, "--out", tmp_path / "out"), "--overwrite")
    assert (tmp_path / "out" / "report.json").read_bytes() == before
    assert run_cli("run", b, a, "--out", tmp_path / "out", "--overwrite").returncode == 0


def test_full_disk(run_cli: Run, tmp_path: Path) -> None:
    a, b = recordings.pair(tmp_path)
    result = run_cli("run", a, b, "--out", tmp_path / "out", file_size=2048)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert str(tmp_path / "out") in result.stderr.splitlines()[-1]
    assert not (tmp_path / "out" / "report.json").exists()


def test_report_of_other_files_with_the_same_names_is_not_replaced(run_cli: Run, tmp_path: Path) -> None:
    a, b = recordings.pair(tmp_path)
    assert run_cli("run", a, b, "--out", tmp_path / "out").returncode == 0
    (tmp_path / "second").mkdir()
    c, d = recordings.pair(tmp_path / "second")
    recordings.write(tmp_path / "second" / "b.jsonl", recordings.rows("lab/praises", "Dear friend! "))
    assert_one_line(run_cli("run", c, d, "--out", tmp_path / "out"), "same names", "--overwrite")


def test_folder_that_cannot_be_made(run_cli: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert_one_line(run_cli("run", *recordings.pair(tmp_path), "--out", tmp_path / "file" / "out"), "--out")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--judge-batch", "0"), ("--judge-batch", "1 to 50")),
        (("--temperature", "-1"), ("--temperature",)),
        (("--max-new-tokens", "0"), ("--max-new-tokens", "at least 1")),
        (("--alpha", "nan"), ("--alpha",)),
        (("--usd-per-million", "1,-3"), ("1,-3",)),
        (("--quantization-b", "4bit"), ("--quantization-b", "no effect", "recorded:")),
        (("--system-prompt-a", "Be brief."), ("--system-prompt-a", "no effect")),
        (("--base-url", "http://x:PASSWORD@host/v1"), ("password", "DIFFING_API_KEY")),
        (("--method", "sae"), ("--reader",)),
        (("--method", "lexical", "--llm", "providers:org/name"), ("--llm", "no effect")),
        (("--judge", "providers:org/name"), ("--judge", "no effect")),
        (("--second-judge", "providers:org/name"), ("--second-judge", "no effect", "--method llm")),
        (("--llm", "openai:x", "--second-judge", "openai:x"), ("--second-judge is the judge itself",)),
        (("--llm", "openai:x", "--second-judge", "openai:y", "--check-judge", "0"), ("--check-judge above 0",)),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)
def test_setting_that_would_do_nothing_or_harm(
    run_cli: Run, tmp_path: Path, flags: tuple[str, ...], words: tuple[str, ...]
) -> None:
    result = run_cli("run", *recordings.pair(tmp_path), *flags, "--out", tmp_path / "out")
    assert_one_line(result, *words)
    assert "PASSWORD" not in result.stderr


def test_a_method_given_twice_counts_once(run_cli: Run, tmp_path: Path) -> None:
    command = ("run", *recordings.pair(tmp_path), "--json", "--overwrite", "--out", tmp_path / "out")
    once, twice = (run_cli(*command, *flags) for flags in (("--method", "lexical"), ("--method", "lexical") * 2))
    assert json.loads(once.stdout)["findings"] == json.loads(twice.stdout)["findings"]


@pytest.mark.slow
def test_a_hub_that_cannot_be_reached_is_one_line_after_all_attempts(run_cli: Run) -> None:
    """The library asks six times within half a minute, and would print two lines each time."""
    result = run_cli("list", env={"HF_ENDPOINT": "http://127.0.0.1:9"})
    assert_one_line(result, "Cannot reach the Hub", "HF_ENDPOINT")
