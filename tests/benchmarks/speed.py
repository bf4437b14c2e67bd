"""What the measurements of speed share: processes of two checkouts, and stored results with the machine."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from diffing.bench.results import BenchmarkResult, ResultColumn, save_result
from diffing.types import Row
from diffing.versions import versions

ROOT = Path(__file__).parents[2]
RESULTS = Path(__file__).parent / "results"
OLD = "302e39c"
"""The commit with which new code is compared: the last one before this list of measurements was begun."""
COLUMNS = (
    *(ResultColumn("what", "What"), ResultColumn("old", "Before"), ResultColumn("new", "Now")),
    *(ResultColumn("unit", "Unit"), ResultColumn("ratio", "Now / before"), ResultColumn("most", "At most")),
)


def child(script: Path, arguments: Sequence[object], checkout: Path = ROOT) -> Any:
    """Runs a script with the package of a checkout, on one thread, and returns the JSON that it prints last."""
    environment = {**os.environ, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, str(script), *map(str, arguments)]
    done = subprocess.run(command, check=True, env=environment, capture_output=True, text=True, cwd=checkout)
    return json.loads(done.stdout.strip().splitlines()[-1])


def row(what: str, new: float, unit: str, most: str, old: float | None = None) -> Row:
    """One measurement, beside the same before if there is one."""
    ratio = None if old is None else round(new / old, 3)
    return {"what": what, "old": old, "new": round(new, 3), "unit": unit, "ratio": ratio, "most": most}


def store(
    name: str,
    title: str,
    about: str,
    rows: Sequence[Row],
    settings: Mapping[str, str | int],
    *,
    of: str = "",
    given: str = "",
) -> None:
    """Prints rows and stores them with the machine and the versions as `results/speed-NAME[-OF].json`.

    Args:
        name: The name of the measurement, `bench_NAME` being its module.
        title: Its title.
        about: What was measured.
        rows: The measurements.
        settings: Its settings.
        of: What was measured, if the module measures several things.
        given: The arguments of the command.
    """
    for each in rows:
        print(json.dumps(each, ensure_ascii=False))
    command = " ".join(filter(None, [f"python -m tests.benchmarks.bench_{name}", given]))
    file = "-".join(filter(None, ["speed", name.replace("_", "-"), of.lower()]))
    machine = {"processor": _processor(), "cores": os.cpu_count() or 0, "old": OLD, **versions()}
    result = BenchmarkResult("speed", title, command, about, tuple(rows), {**settings, **machine}, COLUMNS)
    save_result(result, RESULTS / f"{file}.json")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
