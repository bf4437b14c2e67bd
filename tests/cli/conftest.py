"""Runs the command line the way a user does."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run_cli(tmp_path: Path) -> Run:
    """`run_cli("show", folder)`: a process of its own, with a cache of its own and no token."""

    def run(*args: object, env: dict[str, str] | None = None, **options: object) -> subprocess.CompletedProcess[str]:
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "OPENAI_", "DIFFING_"))}
        clean |= {"DIFFING_CACHE": str(tmp_path / "cache"), "HF_HOME": str(tmp_path / "hf"), "COLUMNS": "160"}
        command = [sys.executable, "-m", "diffing", *map(str, args)]
        return subprocess.run(
            command, capture_output=True, text=True, env=clean | (env or {}), timeout=120, check=False, **options
        )

    return run
