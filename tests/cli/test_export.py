"""`diffing export`: one file of a report, under its own name or the one given."""

import typing
import zipfile
from pathlib import Path

import pytest

from diffing.cli import main
from diffing.cli.export import export
from diffing.outputs.downloads import FORMATS
from diffing.report import load_report, save_report
from tests.outputs.samples import merged_report

STEM = "tern-1b-base-vs-tern-1b-chat"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return save_report(merged_report(train=20, heldout=40), tmp_path / "run")


def exported(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["export", *map(str, arguments)])
    return int(ended.value.code or 0)


def test_everything_goes_into_a_zip_here(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exported(folder) == 0
    assert capsys.readouterr().out == f"{STEM}.zip\n"
    with zipfile.ZipFile(f"{STEM}.zip") as zipped:
        zipped.extractall()
    assert load_report(STEM).findings == load_report(folder).findings


@pytest.mark.parametrize("key", FORMATS)
def test_a_format_goes_where_it_is_told_to(key: str, folder: Path) -> None:
    assert exported(folder, "--format", key, "--out", "given") == 0
    assert Path("given").read_bytes() == FORMATS[key].content(load_report(folder))


def test_the_command_offers_every_format() -> None:
    (_, option) = typing.get_args(typing.get_type_hints(export, include_extras=True)["format_"])
    assert option.metavar == f"[{'|'.join(FORMATS)}]"
    assert list(FORMATS) == ["zip", "html", "png", "md", "csv", "parquet"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["absent"], "absent is not a report"),
        (["run", "--format", "csv", "--out", "absent/x.csv"], "Cannot write absent/x.csv: No such file or directory"),
        (["run", "--out", "run"], "Cannot write run: Is a directory"),
    ],
)
def test_what_goes_wrong_is_one_line(
    arguments: list[str], told: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exported(*arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert told in line
