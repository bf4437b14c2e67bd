"""The worker's process comes back when it is killed, and ends with the service, however that ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from diffing.jobs import Supervisor
from tests.waiting import DEADLINE, until

STARTED_BY_A_SERVICE = """
import sys, time
from pathlib import Path
from diffing.jobs import Supervisor
from tests.annotate.test_process import note_and_wait

if __name__ == "__main__":
    Supervisor(note_and_wait, Path(sys.argv[1])).start()
    time.sleep(600)
"""


def note_and_wait(pids: Path) -> None:
    """What the process does: it says who it is, and goes on for ever."""
    with pids.open("a") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(2 * DEADLINE)


def noted(pids: Path) -> list[int]:
    return [int(line) for line in pids.read_text().splitlines()] if pids.exists() else []


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_killed_it_comes_back_stopped_it_does_not(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    process = Supervisor(note_and_wait, pids)
    process.start()
    until(lambda: len(noted(pids)) == 1)
    os.kill(noted(pids)[0], signal.SIGKILL)
    until(lambda: len(noted(pids)) == 2)
    process.stop()
    until(lambda: not any(alive(pid) for pid in noted(pids)))
    time.sleep(1.5)
    assert len(noted(pids)) == 2


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_it_ends_with_a_service_that_is_killed(tmp_path: Path) -> None:
    script, pids = tmp_path / "service.py", tmp_path / "pids"
    script.write_text(STARTED_BY_A_SERVICE)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    service = subprocess.Popen([sys.executable, str(script), str(pids)], env=environment)
    until(lambda: len(noted(pids)) == 1)
    service.kill()
    service.wait(DEADLINE)
    until(lambda: not alive(noted(pids)[0]))
    assert len(noted(pids)) == 1
