"""Faults that last: the report says what is missing, or there is one clear line; what was answered is kept."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from diffing.errors import ModelError
from diffing.types import Report, Verdict
from tests.cli.conftest import Run, run_cli  # noqa: F401 - a fixture
from tests.cli.world import World, flags
from tests.faults.runs import CONCURRENCY, SMALL, Runs, Size, world, written
from tests.faults.servers import PASSING, hit, lasting, question
from tests.fewer import fewer
from tests.servers.openai_server import Fault, Named, NullContent, Status
from tests.servers.rules import RuleLLM, read

LEFT_OUT = "prompts that one of the models could not answer"
ONE_BY_ONE = (
    "500",
    "no content",
    "a tool call",
    "bytes that are no text",
    "JSON that is deep",
    "the connection is reset",
)
REJECTED = (
    Status(422, "Input validation error: `inputs` must have less than 1024 tokens. Given: 1500"),
    Status(413, "Request Entity Too Large"),
    Status(400, "This model's maximum context length is 2048 tokens. However, your messages resulted in 3000 tokens."),
)
DEEP = (
    '{"verdicts": ' + "[" * 600 + "]" * 600 + "}",
    '{"verdicts": ' + '{"a":' * 600 + "1" + "}" * 601,
    "[" * 100_000,
)
WITH_LLM = Size(10, 6, llm=True)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    with world(tmp_path_factory.mktemp("runs"), SMALL) as made:
        yield made


@pytest.fixture(scope="module")
def whole(runs: Runs) -> Report:
    """What nothing disturbed."""
    return runs.do("undisturbed")


@pytest.fixture(autouse=True)
def _no_fault_stays(runs: Runs) -> Iterator[None]:
    yield
    runs.server.fault = None


@pytest.mark.parametrize("name", fewer(ONE_BY_ONE, ("500", "no content")))
def test_what_is_missing_is_counted_and_completed_by_the_next_run(
    name: str, whole: Report, runs: Runs, tmp_path: Path
) -> None:
    runs.server.fault = lasting(PASSING[name], "a", seed=3)
    report = runs.do(str(tmp_path))
    lost = {pair.prompt.text for pair in whole.pairs if hit(_to("a", pair.prompt.text), 3)}
    assert 2 <= len(lost) <= len(whole.pairs) // 2
    assert [pair for pair in whole.pairs if pair.prompt.text not in lost] == list(report.pairs)
    assert report.left_out["responses"] == {LEFT_OUT: len(lost)}
    (note,) = [note for note in report.notes if "left out" in note]
    assert note.startswith(f"{len(lost)} prompts were left out because a model could not answer; first reason: ")
    runs.server.fault = None
    before = runs.server.count
    completed = runs.do(str(tmp_path))
    assert {question(request) for request in runs.server.requests[before:]} == {("a", prompt) for prompt in lost}
    assert runs.server.count - before == len(lost)
    assert written(completed, tmp_path / "completed") == written(whole, tmp_path / "whole")


def _to(model: str, prompt: str) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": prompt}]}


@pytest.mark.parametrize("fault", fewer(REJECTED, REJECTED[:1]), ids=repr)
def test_a_prompt_that_is_too_long_is_left_out_and_not_asked_again(fault: Fault, runs: Runs, tmp_path: Path) -> None:
    runs.server.fault = lasting(fault, "b", seed=5)
    report = runs.do(str(tmp_path))
    lost = report.left_out["responses"][LEFT_OUT]
    assert lost == sum(hit(request, 5) for request in runs.server.requests[-2 * 16 :] if request["model"] == "b")
    assert len(report.pairs) + lost == 16
    before = runs.server.count
    assert runs.do(str(tmp_path)) == report
    assert runs.server.count == before


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (Status(401), "HTTP 401.*DIFFING_API_KEY or OPENAI_API_KEY"),
        (Status(402), "HTTP 402.*Add credit"),
        (Status(404), "HTTP 404.*Check the model's name and the base URL"),
        (Status(302, headers={"Location": "http://127.0.0.1:9/"}), "HTTP 302.*Check the model's name and the address"),
        (Status(422, "unknown form"), "HTTP 422: unknown form.*check that it is OpenAI-compatible"),
        (Status(429, "daily quota", headers={"Retry-After": "86400"}), "puts requests off.*daily quota.*Rerun later"),
        (
            Status(400, "max_tokens is too large: 1024. This model supports at most 512 completion tokens."),
            "Lower --max-new-tokens to 512",
        ),
        (NullContent(), "does not answer: .* the answer has no text.*Check the server and rerun"),
    ],
    ids=repr,
)
def test_a_server_that_is_of_no_use_ends_the_run_in_one_line(
    fault: Fault, says: str, runs: Runs, tmp_path: Path
) -> None:
    answered = len(runs.server.answered)
    runs.server.fault = lambda request: fault if request["model"] == "b" else None
    with pytest.raises(ModelError, match=says) as caught:
        runs.do(str(tmp_path))
    assert "\n" not in str(caught.value)
    assert {model for model, _ in runs.asked(answered)} == {"a"}
    runs.server.fault = None
    before = runs.server.count
    runs.do(str(tmp_path))
    assert {request["model"] for request in runs.server.requests[before:]} == {"b"}


def test_the_command_says_it_in_one_line(run_cli: Run, tmp_path: Path, runs: Runs) -> None:  # noqa: F811
    runs.server.fault = lambda request: Status(401, "wrong key")
    command = ["run", *flags(runs.server, runs.folder / "prompts.jsonl"), "--out", tmp_path / "out"]
    ended = run_cli(*command)
    assert ended.returncode == 2
    assert len(ended.stderr.strip().splitlines()) == 1
    assert ended.stderr.startswith("diffing: openai:a@127.0.0.1")
    assert ended.stdout == ""


def test_a_setting_that_is_declined_is_told_as_not_sent(whole: Report, runs: Runs, tmp_path: Path) -> None:
    def picky(request: dict[str, Any]) -> Fault | None:
        said = "Unsupported value: 'temperature' does not support 0 with this model."
        return Status(400, said) if "temperature" in request and request["model"] == "b" and hit(request) else None

    runs.server.fault = picky
    report = runs.do(str(tmp_path))
    assert report.pairs == whole.pairs
    assert report.findings == whole.findings
    assert report.model_a.settings == whole.model_a.settings
    assert report.model_b.settings == whole.model_b.settings | {"temperature": "not taken by the server"}
    (note,) = [note for note in report.notes if "temperature" in note]
    assert note.startswith("The server of model B did not accept `temperature`: ")
    runs.server.fault = None
    assert runs.do(str(tmp_path)) == report


def test_another_model_from_the_beginning_is_told(runs: Runs, tmp_path: Path) -> None:
    def other(request: dict[str, Any]) -> Fault | None:
        # the first answers come before the right name is known
        early = sum(each["model"] == "a" for each in runs.server.requests[before:]) <= CONCURRENCY
        return Named("another-model", "I am another.") if request["model"] == "a" and early else None

    before = runs.server.count
    runs.server.fault = other
    report = runs.do(str(tmp_path))
    # an answer under the wrong name that comes after a right one is asked for again
    others = sum(pair.a.text == "I am another." for pair in report.pairs)
    assert 1 <= others <= CONCURRENCY
    assert report.notes[0] == (
        f"The server of model A says that more than one model answered: the requested one ({16 - others}), "
        f"another-model ({others}). Their answers are treated here as if they came from one model."
    )
    runs.server.fault = None
    assert runs.do(str(tmp_path)) == report


def test_a_name_of_the_llms_own_is_told_too(tmp_path: Path) -> None:
    class Renamed(World):
        def __call__(self, request: dict[str, Any]) -> Any:
            from tests.servers.openai_server import chat_body

            made = super().__call__(request)
            return chat_body(made) | {"model": "its-own"} if request["model"] == "llm" else made

    with world(tmp_path, WITH_LLM) as made:
        made.server.answer = Renamed()
        report = made.do("cache")
        assert made.do("cache") == report
    (note,) = [note for note in report.notes if "its-own" in note]
    assert note.startswith("According to its server, all ")
    assert f" answers of the LLM openai:llm@{made.server.base_url.removeprefix('http://')} come from its-own." in note


@pytest.mark.parametrize(
    "deep",
    fewer(DEEP, DEEP[2:]),
    ids=lambda deep: deep[:30],
)
def test_deep_verdicts_are_unreadable_and_counted_in_every_run(deep: str, tmp_path: Path) -> None:
    class Deep(RuleLLM):
        def __call__(self, request: dict[str, Any]) -> str:
            text = request["messages"][-1]["content"]
            return deep if read(text).task == "judge" and hit(request) else super().__call__(request)

    with world(tmp_path, WITH_LLM) as made:
        made.server.answer = World(llm=Deep())
        report = made.do("cache")
        count = made.server.count
        again = made.do("cache")
        assert made.server.count == count
    assert again == report
    unreadable = [each for each in report.judgements if each.verdict is Verdict.UNREADABLE]
    assert unreadable
    assert len(unreadable) < len(report.judgements)
    assert json.dumps([each.reply for each in unreadable])
    assert any("could not be read" in note for note in report.notes)


@pytest.mark.slow
@pytest.mark.parametrize("name", ONE_BY_ONE)
def test_verdicts_that_nobody_gave_are_counted(name: str, tmp_path: Path) -> None:
    with world(tmp_path, WITH_LLM) as made:
        whole = made.do("whole")
        made.server.fault = lasting(PASSING[name], "llm", seed=2)
        report = made.do("cache")
        made.server.fault = None
        assert report.pairs == whole.pairs
        assert any(each.verdict is Verdict.UNREADABLE for each in report.judgements)
        assert written(made.do("cache"), tmp_path / "completed") == written(whole, tmp_path / "out")
