"""Runs the command line the way a user does."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.starter import Starter

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run_cli(starter: Starter, tmp_path: Path) -> Run:
    """`run_cli("show", folder)`: a process of its own, with a cache of its own and no token."""

    def run(
        *args: object, env: dict[str, str] | None = None, file_size: int | None = None
    ) -> subprocess.CompletedProcess[str]:
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "OPENAI_", "DIFFING_"))}
        clean |= {"DIFFING_CACHE": str(tmp_path / "cache"), "HF_HOME": str(tmp_path / "hf"), "COLUMNS": "160"}
        return starter.run([str(arg) for arg in args], clean | (env or {}), file_size)

    return run
