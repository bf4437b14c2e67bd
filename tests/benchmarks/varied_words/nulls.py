"""Compares recorded models with themselves, with the LLM of rules: `python -m tests.benchmarks.varied_words.nulls`.

Everything that is confirmed is false. The LLM forgets, has impressions without any basis, and ties half of what it
describes to conditions, so that hypotheses with and without conditions are tested. It is asked over HTTP, and
everything else is as in `diffing bench null`; about ten minutes on one free core.
"""

import argparse
import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from diffing.bench.null import NullPlan, NullRun, null_result, null_runs
from diffing.bench.results import BenchmarkResult, save_result
from diffing.config import DiffConfig
from diffing.models.cache import Store
from diffing.types import Scalar
from tests.benchmarks.page import RESULTS
from tests.benchmarks.varied_words.environment import environment
from tests.benchmarks.varied_words.worlds import RESPONSES
from tests.servers.openai_server import OpenAIServer
from tests.servers.varied import VariedLLM

MODELS = {
    "pythia12b-pretrained": "Pythia 12B, pretrained",
    "pythia12b-sft-2.5k": "Pythia 12B, SFT 2.5k",
    "pythia12b-sft-7k": "Pythia 12B, SFT 7k",
    "pythia12b-rlhf-2k": "Pythia 12B, RLHF",
    "llama30b-profile-humor_0.1": "Llama 30B, little humour",
    "llama30b-profile-humor_0.9": "Llama 30B, much humour",
    "llama30b-profile-length_2_lang_de": "Llama 30B, very short, German",
}
"""The recorded models, each with two samples, and their names in the table."""
SETTINGS: dict[str, Scalar] = {"train": 125, "heldout": 125, "embedder": "tfidf", "method": "llm", "conditions": 0.5}
ABOUT = (
    "The LLM is made of rules: it describes twelve properties of a response in varied words, forgets 30%, has "
    "impressions without any basis in 40% of the pairs, and ties half of what it describes to one of three conditions "
    "on the prompt. So hypotheses with conditions and without are tested together. "
)


def runs_of(pairs: int, folder: Path, told: list[tuple[str, int, int]]) -> Iterator[NullRun]:
    """Runs all comparisons.

    Args:
        pairs: How many splits of the prompts there are per model.
        folder: Of the cache.
        told: Gets the name, and the numbers of hypotheses with and without a condition, of every run.
    """
    with OpenAIServer(VariedLLM(conditions=0.5)) as server:
        for file, name in MODELS.items():
            one, two = (f"recorded:{RESPONSES / f'{file}.sample{sample}.jsonl'}" for sample in (0, 1))
            config = DiffConfig(
                model_a=one,
                model_b="",
                method=("llm",),
                llm="openai:varied",
                base_url=server.base_url,
                embedder="tfidf",
                train=125,
                heldout=125,
            )
            plan = NullPlan(config, against=two, pairs=pairs, name=name)
            for run in null_runs(plan, store=Store.in_folder(folder)):
                scoped = sum(finding.hypothesis.scope is not None for finding in run.findings)
                told.append((name, scoped, len(run.findings) - scoped))
                yield run


def result_of(runs: list[NullRun], told: list[tuple[str, int, int]], pairs: int) -> BenchmarkResult:
    """The table of false alarms."""
    found = null_result(
        runs,
        command="python -m tests.benchmarks.varied_words.nulls",
        settings={
            **SETTINGS,
            "pairs": pairs,
            **environment(),
            "hypotheses with a condition": sum(scoped for _, scoped, _ in told),
            "hypotheses without": sum(others for *_, others in told),
        },
        title="Two recorded samples of one model, described in varied words",
    )
    return replace(found, about=ABOUT + found.about)


def main() -> None:
    """Runs everything and saves the result after every run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    os.environ.setdefault("OPENAI_API_KEY", "none")  # the server on this machine asks for none
    runs: list[NullRun] = []
    told: list[tuple[str, int, int]] = []
    with tempfile.TemporaryDirectory() as folder:
        for run in runs_of(options.pairs, Path(folder), told):
            runs.append(run)
            confirmed = [each.hypothesis.text for each in run.findings if each.confirmed]
            print(*told[-1], confirmed, flush=True)
            save_result(result_of(runs, told, options.pairs), options.out / "null-varied-words.json")


if __name__ == "__main__":
    main()
