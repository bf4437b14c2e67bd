"""A killed run goes on where it stopped: the same bytes, and no completed call made twice."""

import os
import random
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from tests.cli.conftest import Run, clean_environment
from tests.cli.world import World, flags, write_prompts
from tests.servers.openai_server import OpenAIServer
from tests.starter import Starter


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@dataclass(frozen=True)
class Whole:
    """A run that nothing stopped."""

    server: OpenAIServer
    command: list[str]
    cache: Path
    files: dict[str, bytes]
    """What it wrote."""
    asked: tuple[str, ...]
    """Which model it asked, request by request."""


@pytest.fixture(scope="module")
def whole(starter: Starter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    folder = tmp_path_factory.mktemp("whole")
    with OpenAIServer(World()) as server:
        command = ["run", *flags(server, write_prompts(folder / "prompts.jsonl"), concurrency=1)]
        done = starter.run([*command, "--out", str(folder / "out")], clean_environment(folder))
        assert done.returncode == 0, done.stderr
        asked = tuple(request["model"] for request in server.requests)
        yield Whole(server, command, folder / "cache", contents(folder / "out"), asked)


def test_second_run_asks_nothing_and_gives_the_same_bytes(whole: Whole, run_cli: Run, tmp_path: Path) -> None:
    before = whole.server.count
    second = run_cli(*whole.command, "--out", tmp_path / "two", env={"DIFFING_CACHE": str(whole.cache)})
    assert second.returncode == 0, second.stderr
    assert whole.server.count == before
    assert contents(tmp_path / "two") == whole.files


def test_killed_in_every_stage(whole: Whole, run_cli: Run, starter: Starter, tmp_path: Path) -> None:
    """SIGKILL at random moments all over the work: among the responses, the descriptions, the judgements."""
    draw = random.Random(20)
    server, total = whole.server, len(whole.asked)
    parts = [round(total * part / 5) for part in range(6)]
    kills = [draw.randint(begin + 1, end - 8) for begin, end in pairwise(parts)]
    assert {whole.asked[kill] for kill in kills} == {"a", "b", "llm"}
    server.answer, before = World(pause=0.005), server.count
    for number, wanted in enumerate(kills):
        killed = [*whole.command, "--out", str(tmp_path / "out")]
        process = starter.start(killed, clean_environment(tmp_path), Path(os.devnull), Path(os.devnull))
        while server.count < before + number + wanted and process.poll() is None:
            time.sleep(0.002)
        time.sleep(draw.random() * 0.005)
        assert process.poll() is None, "the run was over before it could be killed"
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert not (tmp_path / "out" / "report.json").exists()
    server.answer = World()
    finished = run_cli(*whole.command, "--out", tmp_path / "out")
    assert finished.returncode == 0, finished.stderr
    assert contents(tmp_path / "out") == whole.files
    # with one request at a time, each kill can lose the one that was in flight and no other
    assert total <= server.count - before <= total + len(kills)


def test_limits_stop_and_go_on(whole: Whole, run_cli: Run, tmp_path: Path) -> None:
    command, before = [*whole.command, "--out", tmp_path / "out", "--concurrency", "4"], whole.server.count
    stopped = run_cli(*command, "--max-calls", "70")
    assert stopped.returncode == 2
    assert "70 calls" in stopped.stderr
    assert len(stopped.stderr.strip().splitlines()) == 1
    assert whole.server.count - before == 70
    assert not (tmp_path / "out" / "report.json").exists()
    finished = run_cli(*command)
    assert finished.returncode == 0, finished.stderr
    assert whole.server.count - before == len(whole.asked)
