"""Measures how much of what tells real models apart the findings explain: `python -m tests.benchmarks.told_apart`.

Whether two samples of one model are told apart is measured by `diffing bench null`.
"""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated

import typer

from diffing.bench.results import BenchmarkResult, ResultColumn, estimate_cells
from diffing.cli.bench.printing import SaveTo, show_result
from diffing.cli.commands import main
from diffing.config import DiffConfig
from diffing.estimates import Coverage, Estimate
from diffing.metrics import UNDEFINED
from diffing.models.cache import Store
from diffing.paths import path_of
from diffing.run import run
from diffing.types import Row

commands = typer.Typer(add_completion=False)
_PYTHIA = {
    "Pythia 12B, pretrained": "responses/pythia12b-pretrained.sample0",
    "SFT 2.5k": "responses/pythia12b-sft-2.5k.sample0",
    "SFT 7k": "responses/pythia12b-sft-7k.sample0",
    "RLHF": "responses/pythia12b-rlhf-2k.sample0",
}
_LLAMA = {
    "Llama 30B, little humour": "responses/llama30b-profile-humor_0.1.sample0",
    "much humour": "responses/llama30b-profile-humor_0.9.sample0",
    "very short, German": "responses/llama30b-profile-length_2_lang_de.sample0",
}
_XSTEST = {"XSTest, Llama 2 70B chat": "refusals/xstest_llama2orig", "GPT-4": "refusals/xstest_gpt4"}
FAMILIES = (_PYTHIA, _LLAMA, _XSTEST)
"""Recordings by name; within each of these groups, every one is compared with all later ones."""
SPLIT = 225
"""Train and held-out prompts each: half of the prompts where there are fewer than twice as many."""
MEDIAN = "median"
LEAST = "lowest"
ABOUT = (
    "Shown both responses to a held-out prompt, which one is model A's? Everything is what a logistic regression tells "
    "right from the texts and all verdicts of the run; the list, its lines and the first five lines are what it tells "
    "from their verdicts alone. What is explained is the part of everything above one half; a dash means that it is "
    "not said, because the models are not told apart or the 95% interval is wider than 50 points.\n\n"
    "All pairs are of recorded models with at least 60 held-out prompts, by the lexical method with its default "
    "settings; the seed of the split is 0. Source of the responses: oasst-model-eval (Apache-2.0) and XSTest v2 "
    "(Röttger et al. 2024, CC-BY-4.0). Intervals of accuracies are Wilson's, those of what is explained are bootstraps "
    "over held-out prompts."
)
_COLUMNS = (
    ResultColumn("pair", "Models"),
    ResultColumn("confirmed", "Confirmed findings"),
    ResultColumn("everything", "Told right from everything", "%"),
    ResultColumn("findings", "From the list", "%"),
    ResultColumn("lines", "From its lines", "%"),
    ResultColumn("first_five", "From the first five", "%"),
    ResultColumn("explained", "The list explains", "%"),
    ResultColumn("explained_by_lines", "Its lines", "%"),
    ResultColumn("explained_by_first_five", "The first five", "%"),
    ResultColumn("told_in_open", "Told right where the list leaves it open", "%"),
)
_ESTIMATES = tuple(column.name for column in _COLUMNS[2:])


@dataclass(frozen=True, slots=True)
class Compared:
    """Two recorded models with their coverage."""

    name: str
    """The names of both."""
    confirmed: int
    """The number of confirmed findings."""
    coverage: Coverage
    """How much these explain."""


def compare_all(folder: Path) -> Iterator[Compared]:
    """Compares every model with all later ones of its family.

    Args:
        folder: The folder of the recordings.
    """
    for family in FAMILIES:
        names = list(family)
        for place, a in enumerate(names):
            for b in names[place + 1 :]:
                yield _compare(f"{a} → {b}", *(f"recorded:{folder / family[name]}.jsonl" for name in (a, b)))


def _compare(name: str, model_a: str, model_b: str) -> Compared:
    config = DiffConfig(model_a=model_a, model_b=model_b, train=SPLIT, heldout=SPLIT)
    with tempfile.TemporaryDirectory(prefix="diffing-told-apart-") as cache:
        report = run(config, store=Store.in_folder(Path(cache)))
    assert report.coverage is not None, f"too few pairs of {name}"
    return Compared(name, sum(finding.confirmed for finding in report.findings), report.coverage)


def told_apart_result(compared: Sequence[Compared], command: str) -> BenchmarkResult:
    """Makes the table of all pairs, with the medians and the lowest values where a share is given.

    Args:
        compared: The compared models, at least one.
        command: The command that reproduces the result.
    """
    rows: list[Row] = []
    for one in compared:
        cells = {name: estimate_cells(name, getattr(one.coverage, name)) for name in _ESTIMATES}
        row: dict[str, str | int | float | bool | None] = {"pair": one.name, "confirmed": one.confirmed}
        rows.append(row | {key: value for own in cells.values() for key, value in own.items()})
    for name, over in ((MEDIAN, median), (LEAST, min)):
        row = {"pair": name, "confirmed": over([one.confirmed for one in compared])}
        for column in _ESTIMATES:
            given = [float(value) for one in rows[: len(compared)] if isinstance(value := one[column], float)]
            row |= estimate_cells(column, Estimate(over(given), None, None, len(given)) if given else UNDEFINED)
        rows.append(row)
    return BenchmarkResult(
        kind="coverage",
        title="How much of what tells real models apart the findings explain",
        command=command,
        about=ABOUT,
        rows=tuple(rows),
        settings={"train": SPLIT, "heldout": SPLIT, "seed": 0},
        columns=_COLUMNS,
    )


@commands.command("told-apart")
def _told_apart(
    *,
    folder: Annotated[
        Path, typer.Option("--folder", parser=path_of, metavar="PATH", help="Folder of the recorded responses.")
    ] = Path("../shared/data"),
    save: SaveTo = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the result as JSON, for machines.")] = False,
) -> None:
    """Measure how much of what tells recorded models apart the findings explain."""
    show_result(told_apart_result(list(compare_all(folder)), "python -m tests.benchmarks.told_apart"), save, json_)


if __name__ == "__main__":
    main(commands=commands)
