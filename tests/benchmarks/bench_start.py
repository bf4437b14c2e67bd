"""Measures how long commands take: `python -m tests.benchmarks.bench_start OLD_CHECKOUT [--demo]`.

`diffing --help` is compared with a typer application of one command without rich, and the demo with an older checkout.
Each is a process of its own, old and new in turn; the smallest of the processor seconds counts, since other programs
may be running.
"""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.speed import ROOT, row, store

ROUNDS, DEMO_ROUNDS = 7, 2
BARE = "import typer\napp = typer.Typer()\n@app.command()\ndef hello(name: str) -> None: ...\napp()\n"


def seconds(arguments: list[str], checkout: Path, home: Path) -> float:
    """The processor seconds of a process of a checkout's package."""
    environment = {**os.environ, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    environment |= {"HOME": str(home), "XDG_CACHE_HOME": str(home)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, env=environment, cwd=home, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure_help(old_checkout: Path, home: Path) -> None:
    """Measures `diffing --help` in turn with a bare application, and stores the result."""
    bare = home / "bare.py"
    bare.write_text(BARE, encoding="utf-8")
    shown: dict[str, list[float]] = {"bare": [], "old": [], "new": []}
    for _ in range(ROUNDS):
        shown["bare"].append(seconds([str(bare), "--help"], ROOT, home))
        for name, checkout in (("old", old_checkout), ("new", ROOT)):
            shown[name].append(seconds(["-m", "diffing", "--help"], checkout, home))
    least, old, new = (min(shown[name]) for name in ("bare", "old", "new"))
    what = "diffing --help against a bare typer application"
    rows = [row(what, new / least, "times", "2.5", round(old / least, 2))]
    about = f"The smallest of {ROUNDS} processes each, in turn."
    store("start", "How long the help takes", about, rows, {"bare help, ms": round(1000 * least)})


def measure_demo(old_checkout: Path, home: Path) -> None:
    """Measures the demo in turn with an older checkout, and stores the result."""
    demo: dict[str, list[float]] = {"old": [], "new": []}
    for turn in range(DEMO_ROUNDS):
        for name, checkout in (("old", old_checkout), ("new", ROOT)):
            place = home / f"{name}{turn}"
            place.mkdir()
            demo[name].append(seconds(["-m", "diffing", "demo", "--out", "out"], checkout, place))
    rows = [row("diffing demo", min(demo["new"]), "processor s", "0.75", round(min(demo["old"]), 2))]
    about = f"The smallest of {DEMO_ROUNDS} processes each, in turn."
    store("demo", "How long the demo takes", about, rows, {})


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        measure = measure_demo if "--demo" in sys.argv else measure_help
        measure(Path(sys.argv[1]), Path(folder))
