"""Measures how long commands take to start: `python -m tests.benchmarks.bench_start OLD_CHECKOUT`.

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

ROUNDS, DEMO_ROUNDS = 9, 2
BARE = "import typer\napp = typer.Typer()\n@app.command()\ndef hello(name: str) -> None: ...\napp()\n"


def seconds(arguments: list[str], checkout: Path, home: Path) -> float:
    """The processor seconds of a process of a checkout's package."""
    environment = {**os.environ, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    environment |= {"HOME": str(home), "XDG_CACHE_HOME": str(home)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, env=environment, cwd=home, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(old_checkout: Path) -> None:
    """Measures all in turn, and stores the results."""
    shown: dict[str, list[float]] = {"bare": [], "old": [], "new": []}
    demo: dict[str, list[float]] = {"old": [], "new": []}
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        bare = home / "bare.py"
        bare.write_text(BARE, encoding="utf-8")
        for _ in range(ROUNDS):
            shown["bare"].append(seconds([str(bare), "--help"], ROOT, home))
            for name, checkout in (("old", old_checkout), ("new", ROOT)):
                shown[name].append(seconds(["-m", "diffing", "--help"], checkout, home))
        for turn in range(DEMO_ROUNDS):
            for name, checkout in (("old", old_checkout), ("new", ROOT)):
                place = home / f"{name}{turn}"
                place.mkdir()
                demo[name].append(seconds(["-m", "diffing", "demo", "--out", "out"], checkout, place))
    bare_least, old, new = (min(shown[name]) for name in ("bare", "old", "new"))
    rows = [
        row(
            "diffing --help against a bare typer application",
            new / bare_least,
            "times",
            "2.5",
            round(old / bare_least, 2),
        ),
        row("diffing demo", min(demo["new"]), "processor s", "0.75", round(min(demo["old"]), 2)),
    ]
    about = f"The smallest of {ROUNDS} (demo: {DEMO_ROUNDS}) processes each, old and new in turn."
    store("start", "How long commands take", about, rows, {"bare help, ms": round(1000 * bare_least)})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
