"""Runs the benchmark: `python -m tests.benchmarks.varied_words [--out FOLDER]`; about three minutes on a core."""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from diffing import metrics
from diffing.bench.results import BenchmarkResult, ResultColumn, estimate_cells, save_result
from diffing.methods.llm import LlmMethod
from diffing.pipeline import diff_models
from diffing.types import Report, Row, Scalar
from tests.benchmarks.page import RESULTS
from tests.benchmarks.varied_words.environment import environment
from tests.benchmarks.varied_words.scoring import Score, score
from tests.benchmarks.varied_words.worlds import RESPONSES, World, few, planted, recorded
from tests.servers.varied import VariedLLM, in_process

SPLITS = 3
"""Recorded pairs are split into train and held-out in so many ways."""
POTION = RESPONSES.parent / "models" / "potion-base-4m-int8"
"""The static embedder that a run downloads by default."""
READERS: Mapping[str, Callable[[], VariedLLM]] = {
    "careful": lambda: VariedLLM(forgets=0, impressions=0),
    "careless": VariedLLM,
}
"""One names every difference and nothing else; one forgets 30 % and has impressions without any basis."""
WAYS = (
    ("propose", "potion"),
    ("propose", "tfidf"),
    ("average", "potion"),
    ("signed", "potion"),
    ("paper", "potion"),
)
"""Ways to find hypotheses, with the embedder."""
ABOUT = """An LLM of rules sees twelve properties of a response and describes each in 24 sentences that share few
words, often with a topic mixed in, in 30 % of the cases from the side that lacks the property. Grouping, joining and
judging it does by meaning, like a good reader; so what is measured is what the method makes of such descriptions. The
careful reader names every difference and nothing else; the careless one forgets 30 % and has impressions (warmer,
deeper) in 40 % of the pairs that are ascribed to a side by a coin.

The truth is counted in the held-out responses without an LLM. Differing: properties that differ on held-out at p <=
.05 (sign test, one-sided); stated: of these, the share that some hypothesis states of the right model. Confirmable:
those that Benjamini-Hochberg confirms on held-out if exactly the true statements are tested, one for each property
that differs in all responses at p <= .05. Some of the differing ones are not among them: no run can know which
p-values will be small, and everything else that is tested makes the borderline ones harder. Wrong: confirmed findings
that say what the count does not bear out (an impression, or the wrong model). Recorded pairs are split in three ways;
synthetic ones have ten properties, planted in 30 % of the responses of one side and in 3 % of the other."""


def run(world: World, reader: VariedLLM, clustering: str, embedder: str) -> tuple[Report, Score]:
    """One comparison with default settings."""
    llm = in_process(reader)
    method = LlmMethod(llm, embedder=str(POTION) if embedder == "potion" else embedder, clustering=clustering)
    report = diff_models(*world.models(), world.prompts, methods=(method,), judge=llm, raters=(llm,))
    return report, score(report, world)


def tokens_of(report: Report) -> tuple[int, int]:
    """The calls and tokens of the LLM in all stages."""
    usage = [each for each in report.usage if each.model == "scripted:varied"]
    return sum(each.calls for each in usage), sum(each.prompt_tokens + each.completion_tokens for each in usage)


def worlds() -> Iterator[tuple[str, Sequence[World]]]:
    """What is compared."""
    if RESPONSES.is_dir():
        one, two = "pythia12b-sft-2.5k.sample0", "pythia12b-rlhf-2k.sample0"
        yield "sft-2.5k against rlhf-2k", [recorded(one, two, seed=seed) for seed in range(SPLITS)]
    yield "1,000 synthetic pairs, 10 planted", [planted()]
    yield "60 train pairs, 5 of them differ", [few(60, 60, 5)]
    yield "10 train pairs, 5 of them differ", [few(10, 20, 5)]


def rows() -> Iterator[Row]:
    """One row for each world, reader and way."""
    for reader, make in READERS.items():
        for name, compared in worlds():
            for clustering, embedder in WAYS if len(compared[0].prompts) > 200 else WAYS[1:2]:
                runs = [run(world, make(), clustering, embedder) for world in compared]
                yield {"compared": name, "reader": reader, "way": clustering, "embedder": embedder, **_cells(runs)}


def _cells(runs: Sequence[tuple[Report, Score]]) -> dict[str, Scalar]:
    scores = [each for _, each in runs]
    differing = sum(len(each.differing) for each in scores)
    confirmable = sum(len(each.confirmable) for each in scores)
    unstated = sum(len(each.unstated) for each in scores)
    missed = sum(len(each.missed) for each in scores)
    unconfirmed = sum(len(each.unconfirmed) for each in scores)
    costs = [tokens_of(report) for report, _ in runs]
    return {
        "hypotheses": sum(each.hypotheses for each in scores),
        **estimate_cells("stated", metrics.wilson(differing - unstated, differing)),
        **estimate_cells("confirmed", metrics.wilson(confirmable - missed, confirmable)),
        **estimate_cells("confirmed_differing", metrics.wilson(differing - unconfirmed, differing)),
        "findings": sum(each.findings_confirmed for each in scores),
        "wrong": sum(len(each.wrong) for each in scores),
        "calls": sum(calls for calls, _ in costs) // len(costs),
        "tokens": sum(tokens for _, tokens in costs) // len(costs),
    }


def result_of(measured: Sequence[Row]) -> BenchmarkResult:
    """The rows with their explanation."""
    return BenchmarkResult(
        kind="planted",
        title="Differences described in varied words",
        command="python -m tests.benchmarks.varied_words",
        about=ABOUT.replace("\n\n", "\0").replace("\n", " ").replace("\0", "\n\n"),
        rows=tuple(measured),
        settings={"splits": SPLITS, **environment()},
        columns=(
            ResultColumn("compared", "Compared"),
            ResultColumn("reader", "Reader"),
            ResultColumn("way", "Way"),
            ResultColumn("embedder", "Embedder"),
            ResultColumn("hypotheses", "Hypotheses"),
            ResultColumn("stated", "Stated", "%"),
            ResultColumn("confirmed", "Confirmed of confirmable", "%"),
            ResultColumn("confirmed_differing", "Confirmed of differing", "%"),
            ResultColumn("findings", "Confirmed findings"),
            ResultColumn("wrong", "Wrong"),
            ResultColumn("calls", "Calls per run"),
            ResultColumn("tokens", "Tokens per run"),
        ),
    )


def main() -> None:
    """Runs everything and saves the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    measured = []
    for row in rows():
        measured.append(row)
        save_result(result_of(measured), options.out / "planted-varied-words.json")
        print(*(f"{key} {value}" for key, value in row.items() if not key.endswith(("_low", "_high"))), flush=True)


if __name__ == "__main__":
    main()
