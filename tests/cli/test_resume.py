"""A killed run goes on where it stopped: the same bytes, and no completed call made twice."""

import os
import random
import signal
import time
from pathlib import Path

from tests.cli.conftest import Run
from tests.cli.world import World, flags, write_prompts
from tests.servers.openai_server import OpenAIServer
from tests.starter import Starter


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_second_run_asks_nothing_and_gives_the_same_bytes(run_cli: Run, tmp_path: Path) -> None:
    with OpenAIServer(World()) as server:
        command = ["run", *flags(server, write_prompts(tmp_path / "prompts.jsonl"))]
        first = run_cli(*command, "--out", tmp_path / "one")
        assert first.returncode == 0, first.stderr
        asked = server.count
        second = run_cli(*command, "--out", tmp_path / "two")
        assert second.returncode == 0, second.stderr
        assert server.count == asked
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_killed_in_every_stage(run_cli: Run, starter: Starter, tmp_path: Path) -> None:
    """SIGKILL at random moments all over the work: among the responses, the descriptions, the judgements."""
    draw = random.Random(20)
    with OpenAIServer(World(pause=0.005)) as server:
        command = ["run", *flags(server, write_prompts(tmp_path / "prompts.jsonl"), concurrency=1)]
        whole = run_cli(*command, "--out", tmp_path / "whole")
        assert whole.returncode == 0, whole.stderr
        asked_at_once = server.count
        asked = [request["model"] for request in server.requests]
        env = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "DIFFING_"))}
        env["DIFFING_CACHE"] = str(tmp_path / "killed-cache")
        kills = [
            draw.randint(round(0.2 * part * asked_at_once) + 1, round(0.2 * (part + 1) * asked_at_once) - 8)
            for part in range(5)
        ]
        assert {asked[kill] for kill in kills} == {"a", "b", "llm"}
        for number, wanted in enumerate(kills):
            killed = [*map(str, command), "--out", str(tmp_path / "killed")]
            process = starter.start(killed, env, Path(os.devnull), Path(os.devnull))
            while server.count < asked_at_once + number + wanted and process.poll() is None:
                time.sleep(0.002)
            time.sleep(draw.random() * 0.005)
            assert process.poll() is None, "the run was over before it could be killed"
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            assert not (tmp_path / "killed" / "report.json").exists()
        finished = run_cli(*command, "--out", tmp_path / "killed", env={"DIFFING_CACHE": env["DIFFING_CACHE"]})
        assert finished.returncode == 0, finished.stderr
        asked_in_pieces = server.count - asked_at_once
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")
    # with one request at a time, each kill can lose the one that was in flight and no other
    assert asked_at_once <= asked_in_pieces <= asked_at_once + len(kills)


def test_limits_stop_and_go_on(run_cli: Run, tmp_path: Path) -> None:
    with OpenAIServer(World()) as server:
        command = ["run", *flags(server, write_prompts(tmp_path / "prompts.jsonl")), "--out", tmp_path / "out"]
        stopped = run_cli(*command, "--max-calls", "70")
        assert stopped.returncode == 2
        assert "70 calls" in stopped.stderr
        assert len(stopped.stderr.strip().splitlines()) == 1
        assert server.count == 70
        assert not (tmp_path / "out" / "report.json").exists()
        finished = run_cli(*command)
        assert finished.returncode == 0, finished.stderr
        asked = server.count
        fresh = run_cli(*command, "--overwrite", env={"DIFFING_CACHE": str(tmp_path / "other")})
        assert fresh.returncode == 0, fresh.stderr
        assert server.count - asked == asked
