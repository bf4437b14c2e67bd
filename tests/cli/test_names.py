"""Names that no file, server or repository can have, wherever a command takes one: one line."""

import json
from pathlib import Path

import pytest

from diffing.cli import main
from tests.cli import recordings
from tests.cli.conftest import Run

LONG = "a" * 256
HOMELESS = "~nouser1/x"
NUL = "~\x00"
HALF = "\udcff"
NAMES = (LONG, HOMELESS, NUL, HALF, "a\nb", "x" * 5_000)


def line_of(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What a command that is refused says."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    said = capsys.readouterr()
    assert ended.value.code == 2, said.err
    assert said.out == ""
    (line,) = said.err.splitlines()
    assert line.startswith("diffing: ")
    assert line.isprintable()
    return line


@pytest.mark.parametrize("name", NAMES, ids=["long", "homeless", "nul", "half", "lines", "longer"])
@pytest.mark.parametrize(
    "command",
    [
        ("run", "NAME", "recorded:a.jsonl"),
        ("run", "recorded:NAME", "recorded:a.jsonl"),
        ("run", "recorded:a.jsonl", "recorded:b.jsonl", "--prompts", "NAME"),
        ("run", "recorded:a.jsonl", "recorded:b.jsonl", "--out", "NAME"),
        ("run", "recorded:a.jsonl", "recorded:b.jsonl", "--cache", "NAME"),
        ("run", "org/a", "org/b", "--chat-template-a", "NAME"),
        ("show", "NAME"),
        ("export", "NAME"),
        ("push", "NAME", "user/name"),
        ("card", "NAME", "org/name"),
        ("check", "NAME", "--policy", "policy.yml"),
        ("run", "recorded:a.jsonl", "recorded:b.jsonl", "--policy", "NAME"),
        ("ask", "NAME", "does B refuse more?"),
        ("family", "NAME", "recorded:a.jsonl", "recorded:b.jsonl"),
        ("family", "recorded:a.jsonl", "recorded:b.jsonl", "--out", "NAME"),
        ("prompts", "export", "openai:m", "openai:n", "--out", "requests", "--prompts", "NAME"),
        ("prompts", "export", "openai:m", "openai:n", "--prompts", "a.jsonl", "--out", "NAME"),
        (
            "run",
            "recorded:a.jsonl",
            "recorded:b.jsonl",
            "--llm",
            "openai:m@http://127.0.0.1:9/v1",
            "--embedder",
            "NAME",
        ),
        ("bench", "compare", "NAME"),
        ("serve", "--folder", "NAME"),
        ("annotate", "--settings", "NAME"),
    ],
    ids=lambda command: " ".join(part for part in command if "jsonl" not in part),
)
def test_a_name_that_cannot_be_is_one_line(
    command: tuple[str, ...],
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIFFING_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ANNOTATOR_SECRET", "x" * 40)
    recordings.pair(tmp_path)
    line = line_of([part.replace("NAME", name) for part in command], capsys)
    assert len(line) < 500
    assert "\x00" not in line
    assert not list(tmp_path.glob("runs/*/*"))


@pytest.mark.parametrize("name", NAMES[2:5], ids=["nul", "half", "lines"])
def test_an_estimate_is_not_made_of_what_is_no_text(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The name of a model that is not there is estimated as a model of unknown size."""
    assert "--model-a is" in line_of(["estimate", name, "org/b"], capsys)


def test_a_home_folder_is_meant_by_its_sign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DIFFING_CACHE", "~/kept")
    recordings.pair(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["run", "recorded:~/a.jsonl", "recorded:~/b.jsonl", "--out=~/run", "--json"])
    assert ended.value.code == 0
    assert json.loads(capsys.readouterr().out)["findings"]
    assert (tmp_path / "run" / "report.json").exists()
    assert (tmp_path / "kept").is_dir()


@pytest.mark.parametrize("name", ["", "  "])
@pytest.mark.parametrize("args", [("run", "recorded:a.jsonl", "recorded:b.jsonl", "--out", "NAME"), ("show", "NAME")])
def test_an_empty_name_is_no_folder(run_cli: Run, args: tuple[str, ...], name: str) -> None:
    """As `--out "$FOLDER"` gives it, where that variable is not set."""
    result = run_cli(*(name if each == "NAME" else each for each in args))
    assert result.returncode == 2
    assert "is empty" in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
