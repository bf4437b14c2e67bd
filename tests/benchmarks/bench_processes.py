"""Measures two processes that share a run against one: `python -m tests.benchmarks.bench_processes [MODEL]`.

The demo pair answers 600 prompts, or a folder's model answers 200 with and without a system prompt; the lexical method
follows. Each process has one thread, and the two are started by torchrun. Measured is the wall time, so the machine
must have two cores that do nothing else. Every file of both reports must have the same bytes.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from diffing.demo import config as demo
from tests.benchmarks.speed import row, store
from tests.cli.conftest import clean_environment

DEMO = Path(demo.__file__).parent / "models"
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


def main(model: str | None) -> None:
    """Runs the same command with one process and with two, and stores the results."""
    prompts = 200 if model else 600
    with tempfile.TemporaryDirectory() as folder:
        one, two = (
            taken(model, prompts, launcher, Path(folder) / name) for launcher, name in (((), "one"), (TORCHRUN, "two"))
        )
        same = contents(Path(folder) / "one") == contents(Path(folder) / "two")
    if not same:
        raise SystemExit("expected the same bytes from both")
    rows = [
        row("one process", one, "s", ""),
        row("two processes", two, "s", ""),
        row("one against two", one / two, "times", "at least 1.7"),
    ]
    about = f"{prompts} prompts, wall time of the whole command with one thread a process; the same bytes."
    title = "Two processes that share a run"
    given = "FOLDER" if model else ""
    store("processes", title, about, rows, {"prompts": prompts}, of=Path(model or "").name, given=given)


def taken(model: str | None, prompts: int, launcher: tuple[str, ...], folder: Path) -> float:
    """The seconds that the command takes."""
    sides = [model, model, "--system-prompt-b", "Be brief."] if model else [str(DEMO / "base"), str(DEMO / "tuned")]
    asked = "bundled" if model else str(DEMO.parent / "prompts.jsonl")
    size = ["--train", str(prompts * 3 // 4), "--heldout", str(prompts - prompts * 3 // 4), "--max-new-tokens", "64"]
    flags = ["--prompts", asked, *size, "--dtype", "float32", "--method", "lexical", "--out", str(folder / "out")]
    environment = clean_environment(folder) | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.getcwd()}
    start = time.monotonic()
    subprocess.run(
        [sys.executable, *launcher, "-m", "diffing", "run", *sides, *flags],
        check=True,
        env=environment,
        capture_output=True,
    )
    return time.monotonic() - start


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a report."""
    return {file.name: file.read_bytes() for file in (folder / "out").iterdir() if file.name != "report.html"}


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
