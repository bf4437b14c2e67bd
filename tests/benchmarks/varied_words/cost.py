"""Compares the cost of the method llm with that of an earlier commit, with the same LLM of rules.

`python -m tests.benchmarks.varied_words.cost --old FOLDER`, where the folder is a checkout of the earlier commit, into
which the LLM of rules is copied. A token is counted as four characters, of questions and of replies.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from diffing.bench.results import BenchmarkResult, ResultColumn, save_result
from diffing.methods.llm import LlmMethod
from diffing.pipeline import diff_models
from diffing.types import Row
from tests.benchmarks.page import RESULTS
from tests.benchmarks.varied_words.environment import environment
from tests.benchmarks.varied_words.scoring import score
from tests.benchmarks.varied_words.worlds import RESPONSES, recorded
from tests.servers.varied import VariedLLM, in_process

ROOT = Path(__file__).parents[3]
COPIED = ("tests/servers/varied.py", "tests/servers/varied_words.py", "tests/benchmarks/varied_words")
PAIRS = {
    "humor_0.1 against humor_0.9": ("llama30b-profile-humor_0.1.sample0", "llama30b-profile-humor_0.9.sample0"),
    "sft-2.5k against rlhf-2k": ("pythia12b-sft-2.5k.sample0", "pythia12b-rlhf-2k.sample0"),
}
READERS: Mapping[str, Mapping[str, float]] = {
    "one wording": {"forgets": 0, "impressions": 0, "topical": 0, "reversed_": 0, "wordings": 1},
    "varied words": {"forgets": 0, "impressions": 0},
}
"""The earlier method finds hypotheses only if the same is always said in the same words."""
ABOUT = """Tokens and calls of the LLM in all stages (describing, stating, judging, checking, rating, merging) of an
earlier commit and of this one, on 60 train and 40 held-out prompts, with the same LLM of rules: one that has one
wording for each half of each property, so that the earlier method forms its hypotheses at all, and one with twelve
and topics mixed in, with which the earlier method ends after its descriptions, for it finds no hypothesis. Confirmed:
properties that differ on held-out by count and are confirmed. Share: tokens of this commit for each one of the
earlier."""


def measure() -> list[Row]:
    """Runs every pair of models with every reader, on the code that is imported."""
    rows: list[Row] = []
    for name, (one, two) in PAIRS.items():
        for reader, options in READERS.items():
            world = recorded(one, two, 60, 40)
            llm = in_process(VariedLLM(**options))  # type: ignore[arg-type]
            potion = str(RESPONSES.parent / "models" / "potion-base-4m-int8")
            method = LlmMethod(llm, embedder=potion)
            report = diff_models(*world.models(), world.prompts, methods=(method,), judge=llm, raters=(llm,))
            usage = [each for each in report.usage if each.model == llm.id]
            scored = score(report, world)
            rows.append(
                {
                    "compared": name,
                    "reader": reader,
                    "confirmed": len(scored.confirmed),
                    "wrong": len(scored.wrong),
                    "calls": sum(each.calls for each in usage),
                    "tokens": sum(each.prompt_tokens + each.completion_tokens for each in usage),
                }
            )
    return rows


def measure_in(folder: Path) -> list[Row]:
    """The same with the code of another checkout, into which the LLM of rules is copied."""
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, dirs_exist_ok=True)
        else:
            shutil.copy(ROOT / name, folder / name)
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.varied_words.cost", "--json"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
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
    parser.add_argument("--old", type=Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    now = measure()
    if options.json:
        print(json.dumps(now))
        return
    rows = compared(measure_in(options.old.resolve()), now)
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
