"""The real client of ZeroGPU forks the page's process, sends the work through its pipes and refuses as it does there.

What cannot be had here is the GPU itself: the answers are written on the CPU, which the client takes for one.
"""

import os
import sqlite3
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from gradio_client import Client

from diffing.demo.config import demo_config
from diffing.view.runs import OWN_MACHINE
from diffing.view.zero import answer_on_loans
from tests.deploy.scheduler import Scheduler
from tests.deploy.space import ROOT, started

pytestmark = pytest.mark.deploy

VISITOR = "e30.e30.of-the-tests"
"""What the Hub tells a ZeroGPU Space of its visitor: a signed token, here without anything in it."""


def rows(folder: Path) -> dict[str, str]:
    with sqlite3.connect(folder / "completions.sqlite") as database:
        return dict(database.execute("SELECT key, value FROM texts"))


def test_loans_quota_and_going_on(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    few = replace(
        demo_config(),
        method=("lexical",),
        reader=None,
        sae=None,
        train=8,
        heldout=4,
        max_new_tokens=12,
        dtype="float32",
    )
    with Scheduler(grants=1) as scheduler, (tmp_path / "log").open("w") as log:
        variables = {
            **os.environ,
            "SPACES_ZERO_GPU": "true",
            "SPACES_ZERO_DEVICE_API_URL": scheduler.url,
            "GRADIO_ANALYTICS_ENABLED": "False",
        }
        with started([sys.executable, "-m", "tests.deploy.zero_app", str(there)], ROOT, variables, log) as url:
            page = Client(url, headers={"X-IP-Token": VISITOR}, verbose=False)
            told = list(page.submit(api_name="/go"))
            assert "responses a 12/12" in told
            assert told[-1].startswith(
                "stopped: Your ZeroGPU quota is used up. Answers so far are saved: come back in 3 hours and 12 minutes"
            )
            assert len(rows(there)) == 12
            assert {each["token"] for each in scheduler.asked("schedule")} == {VISITOR}, "whose quota it is"
            assert [each["durationSeconds"] for each in scheduler.asked("schedule")] == ["8", "8"], (
                "nothing fits into what is left"
            )

            scheduler.grants = 5
            told = list(page.submit(api_name="/go"))
            assert "responses b 12/12" in told
            assert len(scheduler.asked("schedule")) == 3, "the first model's answers were there"
    assert len(scheduler.asked("startup-report")) == 1
    assert [each["fail"] for each in scheduler.asked("release")] == ["false", "false"]
    assert len(scheduler.asked("allow")) == 1, "one process, used twice"
    list(answer_on_loans(few, cache=here, rules=OWN_MACHINE))
    assert rows(there) == rows(here)
