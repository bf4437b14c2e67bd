"""Confirms nothing where sides are drawn: `python -m tests.benchmarks.swapped_sides [--out FOLDER]`.

The responses of two real models differ a lot. If which of them is A's is drawn for every prompt, no difference between
A and B is left, in whatever way responses to one prompt hang together. So everything confirmed then is false.
"""

import argparse
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from diffing import metrics
from diffing.bench.results import BenchmarkResult, ResultColumn, estimate_cells, save_result
from diffing.evaluation import findings_of
from diffing.methods.lexical import LexicalMethod
from diffing.scopes import find_scoped
from diffing.types import Finding, Pair, Row
from tests.benchmarks.behaviours.recorded_pairs import recorded_reports
from tests.benchmarks.page import RESULTS

SEEDS = range(4)
"""The draws per pair of models; they were fixed before the first run, and all of them are reported."""
ABOUT = (
    "Every two models that answered the same recorded prompts are compared by the lexical method, with hypotheses over "
    "all prompts and within scopes; but for every prompt it is drawn which response is A's. No difference between A "
    "and B is left then, so whatever is confirmed is false. A run confirms anything in at most 5% of cases if the "
    "false discovery rate is controlled. Intervals are Wilson's at 95%. The seeds were fixed before the run."
)
_COLUMNS = (
    ResultColumn("pair", "Models"),
    ResultColumn("any_confirmed", "Runs that confirm anything", "%"),
    ResultColumn("any_scoped", "within a scope", "%"),
    ResultColumn("tested", "Hypotheses tested"),
    ResultColumn("confirmed", "Confirmed"),
)


def findings_between(pairs: Sequence[Pair]) -> tuple[Finding, ...]:
    """Finds and tests measured hypotheses, over all prompts and within scopes."""
    method = LexicalMethod()
    discovery = method.find_hypotheses([pair for pair in pairs if pair.prompt.split == "train"])
    measured = method.measure(discovery.hypotheses, pairs)
    scopes = find_scoped([method], [discovery], measured, pairs)
    hypotheses = (*discovery.hypotheses, *scopes.hypotheses)
    return findings_of(hypotheses, [*measured, *scopes.judgements], pairs, {}, metrics.ALPHA, scopes)


def swapped(pairs: Sequence[Pair], seed: int) -> list[Pair]:
    """Draws for every prompt which response is A's."""
    draw = random.Random(seed)
    return [replace(pair, a=pair.b, b=pair.a) if draw.random() < 0.5 else pair for pair in pairs]


def rows() -> Iterator[Row]:
    """One row for each two models, and one for all runs."""
    every: list[tuple[Finding, ...]] = []
    for name, report in recorded_reports():
        runs = [findings_between(swapped(report.pairs, seed)) for seed in SEEDS]
        every += runs
        yield _row(name, runs)
    yield _row("all together", every)


def _row(name: str, runs: Sequence[Sequence[Finding]]) -> Row:
    confirmed = [[finding for finding in run if finding.confirmed] for run in runs]
    scoped = [any(finding.hypothesis.scope for finding in run) for run in confirmed]
    return {
        "pair": name,
        **estimate_cells("any_confirmed", metrics.wilson(sum(map(bool, confirmed)), len(runs))),
        **estimate_cells("any_scoped", metrics.wilson(sum(scoped), len(runs))),
        "tested": sum(finding.heldout.p is not None for run in runs for finding in run),
        "confirmed": sum(map(len, confirmed)),
    }


def main() -> None:
    """Runs everything and saves the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    measured: list[Row] = []
    for row in rows():
        measured.append(row)
        print(*(f"{key} {value}" for key, value in row.items()), flush=True)
    result = BenchmarkResult(
        kind="null",
        title="Real responses with sides drawn by chance",
        command="python -m tests.benchmarks.swapped_sides",
        about=ABOUT,
        rows=tuple(measured),
        settings={"seeds": len(SEEDS)},
        columns=_COLUMNS,
    )
    save_result(result, options.out / "null-swapped.json")


if __name__ == "__main__":
    main()
