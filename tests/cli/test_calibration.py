"""A run tells the command that calibrates it, ready to be pasted."""

import shlex
from pathlib import Path

import pytest

from diffing.cli.run_and_save import tell_calibration
from diffing.config import DiffConfig


def told(model_a: str, out: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    tell_calibration(DiffConfig(model_a=model_a, model_b="org/other"), out)
    return shlex.split(capsys.readouterr().err)


def test_the_command_can_be_pasted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["Calibrate", "on", "A", "against", "A:", "diffing", "bench", "null"]
    out = tmp_path / "a run"
    assert told("org/model", out, capsys) == [*command, "--like", str(out)]
    # the report keeps no folders, so the model must be named
    assert told(str(tmp_path), out, capsys) == [*command, str(tmp_path), "--like", str(out)]
    assert told("recorded:org/responses", out, capsys) == []
