"""Runs of several visitors: in line, told of, stopped at once, gone on with; none notices another."""

import itertools
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from diffing.errors import SettingError
from diffing.models.cache import Store
from diffing.outputs.phrasing import text_of
from diffing.report import load_report, save_report
from diffing.run import run
from diffing.view.runs import OWN_MACHINE, RunManager, RunState, StageProgress, run_state
from diffing.view.runs.run_state import ProgressTracker
from tests.cli.world import World
from tests.servers.openai_server import OpenAIServer
from tests.starter import Starter
from tests.view.runs.conftest import OWNER, PROMPTS, config_of, contents, ended
from tests.waiting import DEADLINE, until

Make = Callable[..., RunManager]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[RunManager] = []

    def build(workers: int = 1) -> RunManager:
        made.append(RunManager(tmp_path / "desk", workers=workers, rules=OWN_MACHINE))
        return made[-1]

    yield build
    for manager in made:
        manager.close()


def watched(manager: RunManager, run_id: str) -> list[RunState]:
    """What a page would see of a run until it ends."""
    seen = []
    while (state := manager.state(run_id)) is not None and state.state in ("queued", "running"):
        seen.append(state)
        time.sleep(0.02)
    assert state is not None
    return [*seen, state]


@pytest.mark.usefixtures("quick_runs")
def test_cancelling_one_stops_it_at_once_and_nobody_else_and_it_goes_on_from_there(make: Make, tmp_path: Path) -> None:
    manager = make(workers=2)
    stuck = Stuck(first=20)
    with OpenAIServer(stuck) as slow, OpenAIServer(World(pause=0.05)) as other:
        (tmp_path / "slow").mkdir()
        config = config_of(slow, tmp_path / "slow")
        run_id = manager.start(config, owner=OWNER)
        theirs = manager.start(config_of(other, tmp_path), owner="another")
        third = manager.start(replace(config, model_a="openai:never@http://127.0.0.1:9/v1"), owner="third")
        until(lambda: slow.count and other.count)
        assert manager.state(third) == RunState("queued", place=1, ahead_running=2)
        assert manager.busy == (2, 1)
        manager.cancel(third)
        assert manager.state(third) == RunState("stopped")
        manager.forget(third)
        assert manager.state(third) is None
        until(lambda: slow.count > stuck.first and responses_of_a(manager.state(run_id)))
        manager.cancel(run_id)  # does not wait for what is under way: no answer to it comes
        stopped = manager.state(run_id)
        assert stopped is not None
        assert (stopped.state, [stage.name for stage in stopped.stages][:2]) == ("stopped", ["prepare", "responses a"])
        assert 0 < responses_of_a(stopped) < PROMPTS
        asked = slow.count
        tells_the_truth(watched(manager, theirs))
        assert slow.count <= asked + config.concurrency  # those that were on their way
        assert manager.state(run_id) == stopped
        slow.answer = World()
        stuck.go.set()
        manager.resume(run_id)
        assert ended(manager, run_id).state == "done"
        # what was answered before is not asked again, but for the requests that were under way
        assert slow.count <= 2 * PROMPTS + 2 * config.concurrency


def responses_of_a(state: RunState | None) -> int:
    """How many responses of model A a run has reported."""
    return next((stage.done for stage in state.stages if stage.name == "responses a"), 0) if state else 0


class Stuck(World):
    """Answers the first few requests, and no other until it is told to go."""

    def __init__(self, first: int) -> None:
        super().__init__(pause=0.1)
        self.first, self._asked, self.go = first, itertools.count(), threading.Event()

    def __call__(self, request: dict[str, Any]) -> str:
        if next(self._asked) >= self.first:
            self.go.wait(2 * DEADLINE)
        return super().__call__(request)


def tells_the_truth(seen: list[RunState]) -> None:
    """Progress, what was found on train, and at last the report."""
    stages = [stage for each in seen for stage in each.stages if "responses" in stage.name]
    assert max(stage.done for stage in stages) == PROMPTS
    assert seen[-1].state == "done"
    assert seen[-1].report is not None
    train = {text_of(finding): finding.train for finding in load_report(seen[-1].report).findings}
    found = {early for each in seen for early in each.found}
    assert found
    assert any(pair.a and pair.b for each in seen for pair in each.latest), "both responses to one prompt are shown"
    for early in found:
        assert (early.pairs, early.fits) == (train[early.text].n, train[early.text].k_for)


def test_time_that_remains_is_told_from_the_last_seconds_alone() -> None:
    progress, began = ProgressTracker(), time.monotonic()
    progress.update("responses a", 900, 1000)  # at once, from the cache
    assert progress.stages == (StageProgress("responses a", 900, 1000, None),)
    time.sleep(0.05)
    progress.update("responses a", 910, 1000)
    (stage,) = progress.stages
    assert stage.seconds_left is not None
    assert 9 * 0.05 <= stage.seconds_left <= 9 * (time.monotonic() - began)  # both by the clock, however fast it goes
    progress.update("responses a", 1000, 1000)
    progress.update("tokens", 5, 0)
    assert [(each.name, each.seconds_left) for each in progress.stages] == [("responses a", 0.0), ("tokens", None)]


def test_no_time_is_told_before_a_twentieth_is_measured_and_then_at_two_speeds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter((0.0, 10.0, 20.0, *(20.0 + each / 10 for each in range(1, 61))))
    monkeypatch.setattr(run_state, "time", SimpleNamespace(monotonic=lambda: next(clock)))  # threads keep their own
    progress = ProgressTracker()
    for done in (0, 9):
        progress.update("responses a", done, 200)
        assert progress.stages[0].seconds_left is None
    progress.update("responses a", 10, 200)
    assert (progress.stages[0].seconds_left, progress.stages[0].seconds_at_most) == (380.0, 380.0)
    for done in range(11, 71):  # ten a second: faster than at the beginning
        progress.update("responses a", done, 200)
    (stage,) = progress.stages
    assert stage.seconds_left == pytest.approx(13.0)
    assert stage.seconds_at_most == pytest.approx(130 * 26 / 70)


@pytest.mark.usefixtures("quick_runs")
def test_an_app_that_was_killed_goes_on_to_the_same_bytes(make: Make, starter: Starter, tmp_path: Path) -> None:
    with OpenAIServer(World(pause=0.05)) as server:
        config = config_of(server, tmp_path)
        command = ["-m", "tests.view.runs.kept_desk", str(tmp_path / "desk"), json.dumps(asdict(config))]
        app = starter.popen([*command, str(starter.folder)], os.environ)
        assert app.stdout is not None
        run_id = app.stdout.readline().decode().strip()
        until(lambda: server.count > 20)
        with pytest.raises(SettingError, match="Another app uses"):
            make()
        app.kill()
        app.wait()
        asked = server.count
        time.sleep(0.4)
        assert server.count <= asked + config.concurrency, "the run outlived the app"
        server.answer = World()
        manager = make()
        state = ended(manager, run_id)
        assert state.state == "done"
        assert state.report is not None
        assert server.count <= 2 * PROMPTS + 2 * config.concurrency
        at_once = save_report(run(config, store=Store(tmp_path / "other.sqlite")), tmp_path / "at-once")
        assert contents(state.report) == contents(at_once)


def test_what_fails_is_told_in_one_line_and_the_desk_goes_on(make: Make, tmp_path: Path) -> None:
    manager = make()
    with OpenAIServer(World(pause=0.05)) as server:
        config = config_of(server, tmp_path)
        broken = ended(manager, manager.start(replace(config, prompts=str(tmp_path / "none.jsonl")), owner=OWNER))
        assert (broken.state, broken.reason.count("\n")) == ("failed", 0)
        assert "none.jsonl" in broken.reason
        run_id = manager.start(config, owner=OWNER)
        until(lambda: server.count > 4)
        children = Path(f"/proc/{os.getpid()}/task").glob("*/children")
        pids = [int(pid) for each in children for pid in each.read_text().split()]
        (process,) = [pid for pid in pids if b"diffing.jobs.child" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        os.kill(process, signal.SIGKILL)
        died = ended(manager, run_id)
    assert died.state == "failed"
    assert "exit code -9" in died.reason
    with pytest.raises(SettingError, match="There is no such run"):
        manager.resume("another", owner=OWNER)
