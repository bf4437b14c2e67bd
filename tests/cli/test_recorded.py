"""Recorded responses from the command line: as what they are read is the first thing told, and columns can be named."""

import json
from pathlib import Path

import pytest

from tests.cli import recordings
from tests.cli.conftest import Run
from tests.cli.test_wrong_input import assert_one_line


def renamed(folder: Path) -> tuple[str, str]:
    """A in another tool's columns, B in ours but for one."""
    a = [{"q": row["prompt"], "out": {"text": row["response"]}} for row in recordings.rows("", "")]
    b = [{"prompt": row["prompt"], "said": row["response"]} for row in recordings.rows("", "Great question! ")]
    paths = (folder / "a.jsonl", folder / "b.jsonl")
    for path, rows in zip(paths, (a, b), strict=True):
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return f"recorded:{paths[0]}", f"recorded:{paths[1]}"


def test_columns_of_each_side(run_cli: Run, tmp_path: Path) -> None:
    columns = ("--columns-a", "prompt=q,response=out.text", "--columns", "prompt=prompt,response=said")
    sides = renamed(tmp_path)
    result = run_cli("run", *sides, *columns, "--train", "40", "--heldout", "20", "--json", "--out", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    assert any(finding["confirmed"] for finding in json.loads(result.stdout)["findings"])
    told = "".join(result.stderr.split())  # long paths are wrapped
    assert told.startswith("INFO")
    assert "a.jsonl:readasrowswiththecolumnsgiven" in told
    assert "b.jsonl:readasrowswiththecolumnsgiven" in told


def test_an_estimate_says_as_what_responses_are_read(run_cli: Run, tmp_path: Path) -> None:
    result = run_cli("estimate", *recordings.pair(tmp_path))
    assert result.returncode == 0, result.stderr
    assert "read as rows with a prompt and a response" in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("sides", "flags", "words"),
    [
        (None, (), ("a.jsonl, line 1", "expected columns `prompt`", "--columns")),
        (
            None,
            ("--columns", "prompt"),
            ("--columns is 'prompt'", "for example --columns prompt=question,response=text"),
        ),
        (("org/a", "org/b"), ("--columns", "prompt=a,response=b"), ("--columns has no effect", "recorded:")),
        (("org/a", None), ("--columns-a", "prompt=a,response=b"), ("--columns-a has no effect", "recorded:")),
    ],
)
def test_columns_that_cannot_be_used(
    run_cli: Run,
    tmp_path: Path,
    sides: tuple[str | None, str | None] | None,
    flags: tuple[str, ...],
    words: tuple[str, ...],
) -> None:
    there = renamed(tmp_path)
    given = [one or other for one, other in zip(sides or (None, None), there, strict=True)]
    assert_one_line(run_cli("run", *given, *flags, "--out", tmp_path / "out"), *words)
