"""One run at a time in a folder: others wait, or are told; nobody has to clear up after one that was killed."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from diffing.errors import SettingError
from diffing.report import load_report, save_report
from diffing.report.folder_lock import locked_folder
from tests.outputs.samples import empty_report, quiet_report

HOLDER = """
import sys, time
from pathlib import Path
from diffing.report.folder_lock import locked_folder
with locked_folder(Path(sys.argv[1])):
    print("in", flush=True)
    sys.stdin.read()
"""


def holder(folder: Path) -> "subprocess.Popen[str]":
    """A process that is alone in a folder."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(folder)], stdin=-1, stdout=-1, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "in\n"
    return process


def test_who_waits_is_told_and_comes_in_when_the_other_is_killed(tmp_path: Path) -> None:
    other = holder(tmp_path)
    with pytest.raises(SettingError, match=r"Another run is writing its report to .* Wait until it has ended"):
        with locked_folder(tmp_path, patience=0.0):
            pass
    told: list[str] = []

    def kill() -> None:
        told.append("waits")
        other.send_signal(signal.SIGKILL)

    with locked_folder(tmp_path, on_wait=kill):
        assert told == ["waits"]
    other.wait()
    assert list(tmp_path.iterdir()) == []  # nothing to clear up


def test_a_run_saves_into_the_folder_in_which_it_is_alone(tmp_path: Path) -> None:
    with locked_folder(tmp_path):
        save_report(empty_report(), tmp_path)
    assert load_report(tmp_path) == empty_report()


def test_threads_that_save_into_one_folder_leave_one_whole_report(tmp_path: Path) -> None:
    reports = [quiet_report(), empty_report()]
    threads = [threading.Thread(target=save_report, args=(report, tmp_path)) for report in reports * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert load_report(tmp_path) in reports
    assert not list(tmp_path.glob(".saving-*"))
