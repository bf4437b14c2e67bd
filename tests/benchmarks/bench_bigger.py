"""Simulates comparisons that are bigger than usual: `python -m tests.benchmarks.bench_bigger [PROMPTS...]`.

Recorded responses of about 80 words are compared by the whole command, with as many prompts as given (5,000 and 20,000
by default); their answers are also put into a cache and read back, and `diffing estimate` reads the prompts of a run of
that size. Measured are processor seconds, the peak memory of each process, and what lies on the disk. How much a
million prompts take is extrapolated from the two largest sizes where the growth is linear, and left out elsewhere.
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

SIZES = (5_000, 20_000)
MILLION = 1_000_000
MOST_BEND = 1.25
"""Growth counts as linear if what one more prompt takes does not rise by more than this factor between two sizes."""


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


def measured(prompts: int) -> dict[str, dict[str, float]]:
    """What each part takes with a number of prompts."""
    here = [sys.executable, "-m", "diffing"]
    size = ["--train", str(prompts * 3 // 5), "--heldout", str(prompts - prompts * 3 // 5), "--balance", "none"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_recordings(prompts, folder)
        sides = [f"recorded:{folder / side}.jsonl" for side in "ab"]
        run = taken([*here, "run", *sides, *size, "--method", "lexical", "--out", str(folder / "out")], folder)
        cache = taken([sys.executable, __file__, "--cache", str(prompts), str(folder / "kept")], folder)
        asked = ["--prompts", str(folder / "prompts.jsonl"), *size]
        estimate = taken([*here, "estimate", "openai:a@http://x/v1", "openai:b@http://x/v1", *asked], folder)
        return {
            "the whole comparison, lexical": run | {"MB on disk": disk(folder / "out")},
            "the cache, put and read": cache | {"MB on disk": disk(folder / "kept")},
            "diffing estimate": estimate,
        }


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


def main(sizes: list[int]) -> None:
    """Measures every size, and stores the results."""
    from tests.benchmarks.speed import row, store

    by_size = {size: measured(size) for size in sorted(sizes)}
    rows = []
    for part, units in by_size[max(sizes)].items():
        for unit in units:
            values = {size: by[part][unit] for size, by in by_size.items()}
            rows += [row(f"{part}, {size:,} prompts", value, unit, "") for size, value in values.items()]
            if (million := of_a_million(list(values), list(values.values()))) is not None:
                rows.append(row(f"{part}, {MILLION:,} prompts (extrapolated)", million, unit, ""))
    about = (
        "Recorded responses of about 80 words; every part in a process of its own. A million is extrapolated where the "
        "growth is linear, and left out elsewhere."
    )
    store("bigger", "Bigger than a machine", about, rows, {"prompts": max(sizes)})


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--cache", prompts, folder]:
            Path(folder).mkdir()
            cached(int(prompts), Path(folder))
        case given:
            main([int(each.replace(",", "")) for each in given] or list(SIZES))
