"""`diffing ask`: the answer is printed, stored in the folder, and on its page."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from diffing.cli import main
from diffing.report import load_report, save_report
from diffing.report.asked_tables import AskedHypothesis, asked_of, with_asked
from diffing.types import Hypothesis, Judgement, Verdict
from tests.cli import recordings
from tests.outputs.samples import empty_report
from tests.servers.openai_server import OpenAIServer
from tests.servers.rules import RuleLLM, planted_pairs

QUESTION = "Does B praise the user's question more?"


def called(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(each) for each in arguments])
    return int(ended.value.code or 0)


def test_a_question_is_answered_and_stored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIFFING_CACHE", str(tmp_path / "cache"))
    with OpenAIServer(RuleLLM()) as server:
        shown = replace(
            empty_report(),
            pairs=tuple(planted_pairs(10, 20)),
            settings={"llm": f"openai:llm@{server.base_url}", "balance": "none"},
        )
        folder = save_report(shown, tmp_path / "run")
        assert called("ask", folder, QUESTION) == 0
        printed = capsys.readouterr()
        assert printed.out.startswith(f"{QUESTION}\n  ")
        assert "Asked after the run, and not among its findings." in printed.out
        assert "21 calls" in printed.err
        assert called("ask", folder, QUESTION, "--json", "--judge", f"openai:other@{server.base_url}") == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["question"], told["heldout"]["k_for"], told["heldout"]["k_against"]) == (QUESTION, 10, 2)
    (stored,) = asked_of(load_report(folder))
    assert stored.judge.startswith("openai:other")
    assert QUESTION.replace("'", "&#39;") in (folder / "report.html").read_text(encoding="utf-8")
    assert called("show", folder) == 0
    assert QUESTION in capsys.readouterr().out


def test_mistakes_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = save_report(replace(empty_report(), settings={"balance": "none"}), tmp_path / "run")
    assert called("ask", tmp_path / "absent", QUESTION) == 2
    assert called("ask", folder, QUESTION) == 2
    first, second = capsys.readouterr().err.strip().splitlines()
    assert "is not the folder of a report" in first
    assert "The run had no judge" in second


def test_a_rerun_that_completes_a_report_keeps_what_was_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report of another version is computed again, with the same settings and responses."""
    monkeypatch.setenv("DIFFING_CACHE", str(tmp_path / "cache"))
    run = ("run", *recordings.pair(tmp_path), "--out", tmp_path / "run", "--method", "lexical")
    assert called(*run) == 0
    once = load_report(tmp_path / "run")
    (heldout, *_) = [pair.prompt.id for pair in once.pairs if pair.prompt.split == "heldout"]
    hypothesis = Hypothesis("asked-1", "<MODEL> praises.", "b", "asked", "style")
    answer = AskedHypothesis(QUESTION, hypothesis, "judge", (Judgement("asked-1", heldout, Verdict.B, "judge"),))
    save_report(with_asked(replace(once, versions={"diffing": "0"}), [answer]), tmp_path / "run")
    assert called(*run) == 0
    after = load_report(tmp_path / "run")
    assert asked_of(after) == (answer,)
    assert replace(after, tables=once.tables) == once
