"""Compares the cost of the method llm with that of an earlier commit, with the same LLM of rules.

`python -m tests.benchmarks.varied_words.cost --old FOLDER`, where the folder is a checkout of the earlier commit that
lies beside this one, where it finds the same data; the LLM of rules is copied into it. A token is counted as four
characters, of questions and of replies.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from diffing.bench.results import BenchmarkResult, ResultColumn, save_result
from diffing.types import Row
from tests.benchmarks.page import RESULTS
from tests.benchmarks.varied_words.cost_of_one import measure
from tests.benchmarks.varied_words.environment import environment

ROOT = Path(__file__).parents[3]
COPIED = ("tests/servers/varied.py", "tests/servers/varied_words.py", "tests/benchmarks/varied_words")
ABOUT = """Tokens and calls of the LLM in all stages (describing, stating, judging, checking, rating, merging) of an
earlier commit and of this one, on 60 train and 40 held-out prompts, with the same LLM of rules: one that has one
wording for each half of each property, so that the earlier method forms its hypotheses at all, and one with twelve
and topics mixed in, with which the earlier method ends after its descriptions, for it finds no hypothesis. Confirmed:
properties that differ on held-out by count and are confirmed. Share: tokens of this commit for each one of the
earlier."""


def measure_in(folder: Path) -> list[Row]:
    """The same with the code of another checkout, into which the LLM of rules is copied."""
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, dirs_exist_ok=True)
        else:
            shutil.copy(ROOT / name, folder / name)
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.varied_words.cost_of_one"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    rows: list[Row] = json.loads(done.stdout.splitlines()[-1])
    return rows


def compared(before: Sequence[Row], now: Sequence[Row]) -> list[Row]:
    """The rows of both, side by side."""
    return [
        {
            "compared": one["compared"],
            "reader": one["reader"],
            **{f"{key}_before": one[key] for key in ("confirmed", "calls", "tokens")},
            **{key: two[key] for key in ("confirmed", "wrong", "calls", "tokens")},
            "share": float(str(two["tokens"])) / float(str(one["tokens"])),
        }
        for one, two in zip(before, now, strict=True)
    ]


def main() -> None:
    """Measures and saves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--old", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    rows = compared(measure_in(options.old.resolve()), measure())
    result = BenchmarkResult(
        kind="compare",
        title="Cost of the method llm, before and now",
        command="python -m tests.benchmarks.varied_words.cost --old CHECKOUT",
        about=" ".join(ABOUT.split()),
        rows=tuple(rows),
        settings={"earlier commit": "13865d2", "train": 60, "heldout": 40, **environment()},
        columns=(
            ResultColumn("compared", "Compared"),
            ResultColumn("reader", "Reader"),
            ResultColumn("tokens_before", "Tokens before"),
            ResultColumn("tokens", "Tokens"),
            ResultColumn("share", "Share", "%"),
            ResultColumn("calls_before", "Calls before"),
            ResultColumn("calls", "Calls"),
            ResultColumn("confirmed_before", "Confirmed before"),
            ResultColumn("confirmed", "Confirmed"),
            ResultColumn("wrong", "Wrong"),
        ),
    )
    for row in rows:
        print(row)
    print(save_result(result, options.out / "compare-llm-cost.json"))


if __name__ == "__main__":
    main()
