"""Ctrl-C, `kill` and a closed terminal at any moment: one line, the exit code of the signal, and nothing lost."""

import json
import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from diffing.report import save_report
from diffing.types import Report
from tests.cli import recordings
from tests.cli.conftest import Run, clean_environment
from tests.cli.test_resume import contents
from tests.cli.world import World, flags, write_prompts
from tests.outputs.samples import empty_report, medium_report
from tests.servers.openai_server import OpenAIServer
from tests.starter import Starter
from tests.waiting import until

ROOT = Path(__file__).parents[2]
KEPT = "diffing: stopped. What was done is kept; the same command continues from there\n"
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


def handles(pid: int, number: int) -> bool:
    """Whether a process has a handler for a signal already."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        caught = next(line.split()[1] for line in status if line.startswith("SigCgt"))
    return bool(int(caught, 16) >> number - 1 & 1)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc to see when the handlers are there")
@pytest.mark.parametrize("number", SIGNALS)
def test_while_libraries_are_imported(number: int, tmp_path: Path) -> None:
    """A process of its own, as a user starts it: at the first moment that can be told, the slow imports are to come."""
    command = [sys.executable, "-m", "diffing", "run", "org/a", "org/b", "--out", str(tmp_path / "out")]
    process = subprocess.Popen(command, stdout=-1, stderr=-1, text=True, env=clean_environment(tmp_path))
    until(lambda: handles(process.pid, signal.SIGTERM))
    process.send_signal(number)
    out, err = process.communicate(timeout=240)
    assert (process.returncode, out, err) == (128 + number, "", KEPT)


def test_handlers_come_before_anything_slow() -> None:
    """What the installed command imports first; all else is imported when the handlers are there."""
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    assert scripts == dict.fromkeys(("diffing", "hf-diffing"), "diffing.__main__:main")
    code = "import sys; known = set(sys.modules); import diffing.__main__; print(*sorted(set(sys.modules) - known))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert [name for name in done.stdout.split() if "diffing" in name] == [
        "diffing", "diffing.__main__", "diffing.version",
    ]  # fmt: skip
    assert not {"typer", "rich", "click", "numpy"} & set(done.stdout.split())


def test_among_the_answers_and_the_same_command_goes_on(starter: Starter, run_cli: Run, tmp_path: Path) -> None:
    with OpenAIServer(World(pause=0.005)) as server:
        command = ["run", *flags(server, write_prompts(tmp_path / "prompts.jsonl"), concurrency=1)]
        whole = starter.run([*command, "--out", str(tmp_path / "whole")], clean_environment(tmp_path / "other"))
        assert whole.returncode == 0, whole.stderr
        needed = server.count
        for stop, number in enumerate(SIGNALS):
            seen, said = server.count, tmp_path / f"{stop}.err"
            out = [*command, "--out", str(tmp_path / "out")]
            process = starter.start(out, clean_environment(tmp_path), Path(os.devnull), said)
            until(lambda seen=seen, process=process: server.count > seen + 20 or process.poll() is not None)
            os.kill(process.pid, number)
            assert (process.wait(), said.read_text()) == (128 + number, KEPT)
        finished = run_cli(*command, "--out", tmp_path / "out")
        assert finished.returncode == 0, finished.stderr
        assert server.count <= 2 * needed + len(SIGNALS)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_commands_that_keep_nothing_promise_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "diffing", "show", str(tmp_path)]
    process = subprocess.Popen(command, stdout=-1, stderr=-1, text=True, env=clean_environment(tmp_path))
    until(lambda: handles(process.pid, signal.SIGTERM))
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=240)[1] == "diffing: stopped\n"


def test_what_is_ignored_stays_ignored(tmp_path: Path) -> None:
    """As by `nohup`: a closed terminal does not end the run."""
    code = (
        "import os, signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from diffing.__main__ import _exit_on_signals; _exit_on_signals(['run'])\n"
        "os.kill(os.getpid(), signal.SIGHUP); print('goes on')\nos.kill(os.getpid(), signal.SIGTERM)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (128 + signal.SIGTERM, KEPT)


@pytest.mark.parametrize("flags_", [(), ("--json",)])
def test_whoever_reads_the_output_has_enough(tmp_path: Path, flags_: tuple[str, ...]) -> None:
    """`diffing show ... | head -1`: no traceback, whether the output is large or fits into the pipe."""
    save_report(medium_report(), tmp_path / "run")
    command = [sys.executable, "-m", "diffing", "show", str(tmp_path / "run"), *flags_]
    process = subprocess.Popen(command, stdout=-1, stderr=-1, env=clean_environment(tmp_path))
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(240) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk that is always full")
@pytest.mark.parametrize("report", [medium_report, empty_report], ids=["large", "small"])
def test_output_that_cannot_be_written_is_one_line(report: Callable[[], Report], tmp_path: Path) -> None:
    save_report(report(), tmp_path / "run")
    command = [sys.executable, "-m", "diffing", "show", str(tmp_path / "run"), "--json"]
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, env=clean_environment(tmp_path), timeout=240
        )
    (line,) = done.stderr.splitlines()
    assert done.returncode == 2
    assert line.startswith("diffing: No disk space is left (No space left on device)")


def test_a_run_whose_output_nobody_reads_is_finished(starter: Starter, tmp_path: Path) -> None:
    """What comes after the findings, such as publishing, is done."""
    script = (
        "import os, sys\nread, write = os.pipe()\nos.close(read)\nos.dup2(write, 1)\n"
        "from diffing.__main__ import main\nmain(sys.argv[1:])"
    )
    command = ["run", *recordings.pair(tmp_path), "--out", str(tmp_path / "out")]
    done = starter.run(["-c", script, *command], clean_environment(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert f"Report: {tmp_path / 'out' / 'report.html'}" in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_what_an_encoding_does_not_have_is_a_question_mark(encoding: str, tmp_path: Path) -> None:
    save_report(medium_report(), tmp_path / "run")
    command = [sys.executable, "-m", "diffing", "show", str(tmp_path / "run"), "--all"]
    environment = clean_environment(tmp_path) | {"PYTHONIOENCODING": encoding}
    done = subprocess.run(command, capture_output=True, env=environment, timeout=240)
    assert (done.returncode, done.stderr) == (0, b"")
    assert ("\N{LEFT DOUBLE QUOTATION MARK}" in done.stdout.decode(encoding)) == (encoding in ("cp1252", "utf-8"))


def test_json_loses_no_character_to_an_encoding(tmp_path: Path) -> None:
    save_report(medium_report(), tmp_path / "run")
    command = [sys.executable, "-m", "diffing", "show", str(tmp_path / "run"), "--json"]
    environment = clean_environment(tmp_path)
    ascii_, utf8 = (
        subprocess.run(command, capture_output=True, env=environment | {"PYTHONIOENCODING": encoding}, timeout=240)
        for encoding in ("ascii", "utf-8")
    )
    assert not utf8.stdout.isascii()
    assert json.loads(ascii_.stdout) == json.loads(utf8.stdout)
