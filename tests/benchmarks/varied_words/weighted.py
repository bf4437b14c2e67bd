"""Compares weighted with equal tests: `python -m tests.benchmarks.varied_words.weighted`; seven minutes on a core.

Each run is made once, with default settings. Its hypotheses are then tested anew with equal weights, on the same
p-values.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from diffing import metrics
from diffing.bench.results import BenchmarkResult, ResultColumn, save_result
from diffing.types import Report, Row
from tests.benchmarks.page import RESULTS
from tests.benchmarks.varied_words.__main__ import READERS, SPLITS, run
from tests.benchmarks.varied_words.environment import environment
from tests.benchmarks.varied_words.scoring import Score, score
from tests.benchmarks.varied_words.worlds import World, recorded

PYTHIA, LLAMA = "pythia12b", "llama30b-profile"
PAIRS = (
    (f"{PYTHIA}-pretrained.sample0", f"{PYTHIA}-sft-2.5k.sample0"),
    (f"{PYTHIA}-pretrained.sample0", f"{PYTHIA}-rlhf-2k.sample0"),
    (f"{PYTHIA}-sft-2.5k.sample0", f"{PYTHIA}-sft-7k.sample0"),
    (f"{PYTHIA}-sft-2.5k.sample0", f"{PYTHIA}-rlhf-2k.sample0"),
    (f"{PYTHIA}-sft-7k.sample0", f"{PYTHIA}-rlhf-2k.sample0"),
    (f"{LLAMA}-humor_0.1.sample0", f"{LLAMA}-humor_0.9.sample0"),
    (f"{LLAMA}-humor_0.1.sample0", f"{LLAMA}-length_2_lang_de.sample0"),
    ("llama-13b.vicuna80", "vicuna-13b.vicuna80"),
)
"""All recorded pairs of models that differ by a stage of training, a profile or a family, first samples."""
SIZES = ((None, None), (50, 30))
"""All prompts, two thirds of them train; and few: train and held-out prompts."""
ABOUT = (
    "The LLM is made of rules, as in the benchmark of varied words; confirmable and wrong are explained there. Pairs "
    f"are split in {SPLITS} ways each, once with all prompts and once with 50 + 30, and read by the careful and by the "
    "careless reader. The two tests are given the same p-values; weighted is what a run does."
)


def with_equal_weights(report: Report) -> Report:
    """The report as if all hypotheses had weighed the same in their joint test."""
    tested = metrics.confirm({each.hypothesis.id: each.heldout for each in report.findings})
    findings = (
        replace(each, heldout=tested[each.hypothesis.id], confirmed=metrics.confirmed(tested[each.hypothesis.id]))
        for each in report.findings
    )
    return replace(report, findings=tuple(findings))


def scores(pair: tuple[str, str]) -> Iterator[tuple[Score, Score]]:
    """The scores of all runs on a pair, with weights and without."""
    for train, heldout in SIZES:
        for seed in range(SPLITS):
            world: World = recorded(*pair, train=train, heldout=heldout, seed=seed)
            for make in READERS.values():
                report, weighted = run(world, make(), "propose", "tfidf")
                yield weighted, score(with_equal_weights(report), world)


def row(name: str, compared: Sequence[tuple[Score, Score]]) -> Row:
    """What is confirmed of what can be, and what is wrong, over several runs."""
    weighted, equal = zip(*compared, strict=True)
    return {
        "pair": name,
        "runs": len(compared),
        "confirmable": sum(len(each.confirmable) for each in weighted),
        **{
            f"{test}_{what}": sum(count(each) for each in of_test)
            for test, of_test in (("weighted", weighted), ("equal", equal))
            for what, count in (
                ("confirmed", lambda each: len(each.confirmable) - len(each.missed)),
                ("findings", lambda each: each.findings_confirmed),
                ("wrong", lambda each: len(each.wrong)),
            )
        },
    }


def main() -> None:
    """Runs everything and saves the result."""
    rows, every = [], []
    for pair in PAIRS:
        compared = list(scores(pair))
        every += compared
        rows.append(row(" against ".join(pair), compared))
        print(rows[-1], flush=True)
    rows.append(row("all together", every))
    print(rows[-1], flush=True)
    columns = [ResultColumn("pair", "Pair"), ResultColumn("runs", "Runs"), ResultColumn("confirmable", "Confirmable")]
    for test in ("weighted", "equal"):
        columns += [
            ResultColumn(f"{test}_confirmed", f"Of these confirmed, {test}"),
            ResultColumn(f"{test}_findings", f"Confirmed findings, {test}"),
            ResultColumn(f"{test}_wrong", f"Wrong, {test}"),
        ]
    command = "python -m tests.benchmarks.varied_words.weighted"
    settings = {"splits": SPLITS, **environment()}
    result = BenchmarkResult(
        "planted", "Weights in the joint test", command, ABOUT, tuple(rows), settings, tuple(columns)
    )
    save_result(result, RESULTS / "planted-weights.json")


if __name__ == "__main__":
    main()
