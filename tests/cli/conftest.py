"""Runs the command line the way a user does."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.starter import Starter

Run = Callable[..., subprocess.CompletedProcess[str]]


def clean_environment(folder: Path) -> dict[str, str]:
    """Of a user without tokens, with caches in a folder."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "OPENAI_", "DIFFING_"))}
    return clean | {"DIFFING_CACHE": str(folder / "cache"), "HF_HOME": str(folder / "hf"), "COLUMNS": "160"}


@pytest.fixture
def run_cli(starter: Starter, tmp_path: Path) -> Run:
    """`run_cli("show", folder)`: a process of its own, with a cache of its own and no token."""

    def run(
        *args: object, env: dict[str, str] | None = None, file_size: int | None = None
    ) -> subprocess.CompletedProcess[str]:
        return starter.run([str(arg) for arg in args], clean_environment(tmp_path) | (env or {}), file_size)

    return run
