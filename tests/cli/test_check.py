"""`diffing check` and `diffing run --policy`: exit codes and files for CI."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from diffing.cli import main
from diffing.report import load_report, save_report
from tests.cli import recordings
from tests.outputs.samples import merged_report


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_report(merged_report(train=20, heldout=100), tmp_path_factory.mktemp("check") / "run")


def called(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(each) for each in arguments])
    return int(ended.value.code or 0)


def policy(folder: Path, *rules: str) -> Path:
    path = folder / "policy.yml"
    path.write_text("rules:\n" + "".join(f"- {{{rule}}}\n" for rule in rules))
    return path


@pytest.mark.parametrize(("rule", "code"), [
    ("pattern: longer responses, at_most: 0.2", 1),
    ("pattern: longer responses, at_most: 0.2, direction: a", 0),
    ("pattern: longer responses, at_most: 0.6", 3),
])  # fmt: skip
def test_exit_codes(
    rule: str,
    code: int,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "step.md"))
    (tmp_path / "step.md").write_text("before\n")
    files = ("--junit", tmp_path / "junit.xml", "--summary", tmp_path / "summary.md")
    assert called("check", folder, "--policy", policy(tmp_path, rule), *files) == code
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith({0: "The policy is kept", 1: "The policy is broken", 3: "Not enough evidence"}[code])
    suite = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert (suite.get("failures"), suite.get("errors")) == (str(int(code == 1)), str(int(code == 3)))
    summary = (tmp_path / "summary.md").read_text()
    assert (tmp_path / "step.md").read_text() == f"before\n{summary}"


def test_json(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rule = "pattern: longer responses, at_most: 0.2"
    assert called("check", folder, "--policy", policy(tmp_path, rule), "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["outcome"], told["exit_code"], len(told["rules"])) == ("broken", 1, 1)


def test_mistakes_are_one_line(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert called("check", folder, "--policy", tmp_path / "absent.yml") == 2
    assert called("check", folder, "--policy", policy(tmp_path, "pattern: x")) == 2
    assert called("check", tmp_path, "--policy", policy(tmp_path, "pattern: x, at_most: 0.1")) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 3


def test_a_run_checks_its_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIFFING_CACHE", str(tmp_path / "cache"))
    a, b = recordings.pair(tmp_path)
    out, rules = tmp_path / "out", policy(tmp_path, "property: refusals, at_most: 0.1")
    run = ("run", a, b, "--out", out, "--json", "--policy")
    assert called(*run, tmp_path / "absent.yml") == 2
    assert not (out / "report.json").exists()
    code = called(*run, rules)
    printed = capsys.readouterr()
    json.loads(printed.out)
    assert load_report(out).findings
    assert called("check", out, "--policy", rules) == code
    assert capsys.readouterr().out in printed.err
