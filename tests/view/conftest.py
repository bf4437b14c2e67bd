"""The page's tests tell nobody of themselves, and the runs that they start begin quickly."""

import os
import subprocess
from types import SimpleNamespace

import pytest

from tests.starter import Starter

os.environ["GRADIO_ANALYTICS_ENABLED"] = "0"


@pytest.fixture
def quick_runs(starter: Starter, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run's process is forked from one that has imported the slow libraries, instead of importing them itself."""
    monkeypatch.setattr("diffing.jobs.process.subprocess", starter.in_place_of_subprocess())


@pytest.fixture
def quick_apart(starter: Starter, monkeypatch: pytest.MonkeyPatch) -> None:
    """So is the process that work on what strangers wrote is done in."""

    def run(command: list[str], *, env: dict[str, str], input: bytes, **_: object) -> SimpleNamespace:
        process = starter.popen(command[1:], env)
        out, _ = process.communicate(input)
        return SimpleNamespace(stdout=out, returncode=process.wait())

    monkeypatch.setattr(
        "diffing.view.sandbox.subprocess",
        SimpleNamespace(
            PIPE=subprocess.PIPE, DEVNULL=subprocess.DEVNULL, TimeoutExpired=subprocess.TimeoutExpired, run=run
        ),
    )
