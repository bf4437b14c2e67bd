"""Simulates comparisons that are bigger than usual: `python -m tests.benchmarks.bench_bigger PART PROMPTS...`.

The parts: `comparison`, in which recorded responses of about 80 words are compared by the whole command; `cache`, in
which as many answers are put into a cache and read back; and `estimate`, in which `diffing estimate` reads the prompts
of a run of that size. Measured are processor seconds, the peak memory of the process, and what lies on the disk. How
much a million prompts take is extrapolated from the two largest sizes where the growth is linear, and left out
elsewhere.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from diffing.models.cache import Store
from tests.benchmarks.bench_rerun import OPENINGS, answered
from tests.cli.conftest import clean_environment

MILLION = 1_000_000
MOST_BEND = 1.25
"""Growth counts as linear if what one more prompt takes does not rise by more than this factor between two sizes."""


ABOUT = {
    "comparison": "Recorded responses of about 80 words, lexical method; what is linear is extrapolated to a million.",
    "cache": "Answers of about 80 words are put into the cache, each safe on its own, and read back all at once. The "
    "processor time includes that of making them.",
    "estimate": "The command reads the prompts, of nine words each.",
}
"""The parts, and what is measured in each."""


def texts_of(number: int) -> tuple[str, str, str]:
    """A prompt with both responses."""
    draw = random.Random(number)
    asked = f"{' '.join(f'topic{draw.randrange(5_000)}' for _ in range(8))} ({number})?"
    a, b = (answered({"model": side, "messages": asked}) for side in OPENINGS)
    return asked, a, b


def write_recordings(prompts: int, folder: Path) -> None:
    """Writes `a.jsonl`, `b.jsonl` and `prompts.jsonl`."""
    with (
        (folder / "a.jsonl").open("w") as a,
        (folder / "b.jsonl").open("w") as b,
        (folder / "prompts.jsonl").open("w") as p,
    ):
        for number in range(prompts):
            asked, of_a, of_b = texts_of(number)
            p.write(json.dumps({"prompt": asked}) + "\n")
            a.write(json.dumps({"prompt": asked, "response": of_a}) + "\n")
            b.write(json.dumps({"prompt": asked, "response": of_b}) + "\n")


def cached(prompts: int, folder: Path) -> None:
    """Puts the answers to the prompts into a cache, and reads them back."""
    store = Store.in_folder(folder)
    keys = [f"{number:064x}" for number in range(prompts)]
    for number, key in enumerate(keys):
        store.put(key, json.dumps({"text": texts_of(number)[1], "finish": "stop", "served": None}))
    assert len(store.get_many(keys)) == prompts
    store.close()


def taken(command: list[str], folder: Path) -> dict[str, float]:
    """Processor seconds and peak memory in MB of a command."""
    environment = clean_environment(folder) | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.getcwd()}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    said = process.stderr.read().decode()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(said)
    seconds = used.ru_utime + used.ru_stime
    return {"processor s": seconds, "MB at most": used.ru_maxrss / 1024}


def measured(part: str, prompts: int) -> dict[str, float]:
    """What a part takes with a number of prompts."""
    size = ["--train", str(prompts * 3 // 5), "--heldout", str(prompts - prompts * 3 // 5), "--balance", "none"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if part == "cache":
            used = taken([sys.executable, __file__, "--cache", str(prompts), str(folder / "out")], folder)
            return used | {"MB on disk": disk(folder / "out")}
        write_recordings(prompts, folder)
        here = [sys.executable, "-m", "diffing"]
        if part == "estimate":
            asked = ["--prompts", str(folder / "prompts.jsonl"), *size]
            return taken([*here, "estimate", "openai:a@http://x/v1", "openai:b@http://x/v1", *asked], folder)
        sides = [f"recorded:{folder / side}.jsonl" for side in "ab"]
        used = taken([*here, "run", *sides, *size, "--method", "lexical", "--out", str(folder / "out")], folder)
        return used | {"MB on disk": disk(folder / "out")}


def disk(folder: Path) -> float:
    """The size of the files in a folder, in MB."""
    return sum(file.stat().st_size for file in folder.iterdir()) / 2**20


def of_a_million(sizes: list[int], values: list[float]) -> float | None:
    """What a million prompts take, from the two largest sizes; None where the growth is not linear."""
    (few, many), (less, more) = sizes[-2:], values[-2:]
    slope = (more - less) / (many - few)
    start = less - slope * few
    if len(sizes) > 2:
        bent = slope > MOST_BEND * (values[-2] - values[-3]) / (sizes[-2] - sizes[-3])
    else:
        bent = slope > MOST_BEND * less / few
    return None if bent else start + slope * MILLION


def main(part: str, sizes: list[int]) -> None:
    """Measures every size of a part, and stores the results."""
    from tests.benchmarks.speed import row, store

    by_size = {size: measured(part, size) for size in sorted(sizes)}
    rows = []
    for unit in by_size[max(sizes)]:
        values = {size: taken[unit] for size, taken in by_size.items()}
        rows += [row(f"{size:,} prompts", value, unit, "") for size, value in values.items()]
        if (million := of_a_million(list(values), list(values.values()))) is not None:
            rows.append(row(f"{MILLION:,} prompts (extrapolated)", million, unit, ""))
    title = f"Bigger than a machine: {part}"
    given = " ".join([part, *map(str, sizes)])
    store("bigger", title, ABOUT[part], rows, {"prompts": max(sizes)}, of=part, given=given)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--cache", prompts, folder]:
            Path(folder).mkdir()
            cached(int(prompts), Path(folder))
        case [part, *given]:
            main(part, [int(each) for each in given])
