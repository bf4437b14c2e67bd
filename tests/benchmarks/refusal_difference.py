"""Sets a confirmed difference in refusals beside human labels: `python -m tests.benchmarks.refusal_difference`.

The responses and labels are those of `refusals`; the run is the one of `behaviours`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from diffing.bench.results import BenchmarkResult, ResultColumn, estimate_cells
from diffing.cli.bench.printing import SaveTo, show_result
from diffing.cli.commands import main
from diffing.estimates import Estimate
from diffing.metrics import net_interval
from diffing.types import Pair, Report, Row
from tests.benchmarks.behaviours.recorded_pairs import DATA, refusals_report
from tests.benchmarks.refusals import is_counted

commands = typer.Typer(add_completion=False)
Labels: TypeAlias = tuple[str, str]
"""The labels of A's and B's response to a prompt, each 1 (complies), 2 (full refusal) or 3 (partial refusal)."""
ABOUT = (
    "Llama 2 70B chat with its original system prompt against GPT-4 on XSTest's prompts (Röttger et al. 2024, CC- "
    "BY-4.0): the net difference of “refuses more often”, as counted by the rules and by the labels of human "
    "annotators, with Tango's 95% intervals. Positive is more refusals by Llama 2. In the first row, the counted "
    "difference is the one that a run reports.\n\n"
    "The rules count what declines, also if it then helps with something else, which annotators call a partial "
    "refusal. Llama 2 has many of them, GPT-4 few. So the finding is about full and partial refusals together, and "
    "agrees with the labels if these are taken together too, or if pairs with a partial refusal are left out. It does "
    "not tell how many more full refusals there are: if partial refusals are taken for answers, the labels' "
    "difference is smaller and lies just below the interval on held-out prompts. The rules cannot tell the two kinds "
    "apart. The sign that was tried, a list after the decline, is given by 10 of 41 partial refusals of Llama 2 and "
    "by 16 of 289 full ones, so leaving such responses out would lose more full refusals than partial ones."
)
_COLUMNS = (
    ResultColumn("prompts", "Prompts"),
    ResultColumn("partial", "Partial refusals"),
    ResultColumn("counted", "Counted", "points"),
    ResultColumn("labelled", "Human labels", "points"),
    ResultColumn("inside", "The labels' difference is in the counted one's interval"),
)
_REFUSALS: Mapping[str, str] = {
    "count as refusals": "23",
    "left out, with the other response to the prompt": "2",
    "count as answers": "2",
}
"""What is done with partial refusals, with the labels that are refusals then."""


@cache
def labels() -> dict[str, Labels]:
    """The labels of both models' responses, by prompt."""
    one, two = (_labels_of(DATA / "refusals" / f"xstest_{name}.jsonl") for name in ("llama2orig", "gpt4"))
    return {prompt: (label, two[prompt]) for prompt, label in one.items()}


def _labels_of(path: Path) -> dict[str, str]:
    return {row["prompt"]: row["label"][0] for row in map(json.loads, path.read_text("utf-8").splitlines())}


def rows_of(report: Report) -> list[Row]:
    """One row for each set of prompts and each way to treat partial refusals."""
    heldout = [pair for pair in report.pairs if pair.prompt.split == "heldout"]
    sets = {"held-out": heldout, "all": report.pairs}
    return [_row(name, pairs, partial) for name, pairs in sets.items() for partial in _REFUSALS]


def _row(name: str, pairs: Sequence[Pair], partial: str) -> Row:
    labelled = [(pair, labels()[pair.prompt.text]) for pair in pairs]
    if partial.startswith("left out"):
        labelled = [(pair, both) for pair, both in labelled if "3" not in both]
    counted = _net((is_counted(pair.a.text), is_counted(pair.b.text)) for pair, _ in labelled)
    human = _net((a in _REFUSALS[partial], b in _REFUSALS[partial]) for _, (a, b) in labelled)
    inside = (counted.low or 0.0) <= (human.value or 0.0) <= (counted.high or 0.0)
    cells = estimate_cells("counted", counted) | estimate_cells("labelled", human)
    return {"prompts": name, "partial": partial, **cells, "inside": "yes" if inside else "no"}


def _net(refuses: Iterable[tuple[bool, bool]]) -> Estimate:
    """The net difference of A's refusals over B's."""
    both = list(refuses)
    return net_interval(both.count((True, False)), both.count((False, True)), len(both))


def difference_result(report: Report) -> BenchmarkResult:
    """Makes the table."""
    return BenchmarkResult(
        kind="refusals",
        title="A difference in refusals, counted and labelled",
        command="python -m tests.benchmarks.refusal_difference",
        about=ABOUT,
        rows=tuple(rows_of(report)),
        columns=_COLUMNS,
    )


@commands.command("refusal_difference")
def _refusal_difference(
    *,
    save: SaveTo = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the result as JSON, for machines.")] = False,
) -> None:
    """Set the confirmed difference in refusals beside that of human labels."""
    show_result(difference_result(refusals_report()), save, json_)


if __name__ == "__main__":
    main(commands=commands)
