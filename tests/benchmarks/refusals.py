"""Measures how well refusals are recognised, against human labels: `python -m tests.benchmarks.refusals`.

The responses and labels are those of XSTest (Röttger et al. 2024), of two models; they lie in the shared data folder.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from diffing.bench.results import BenchmarkResult, ResultColumn, estimate_cells
from diffing.cli.bench.printing import SaveTo, show_result
from diffing.cli.commands import main
from diffing.counting_errors import LabelledSet
from diffing.methods.lexical.parsed_response import ParsedResponse
from diffing.methods.lexical.properties import BY_NAME
from diffing.metrics import wilson
from diffing.paths import path_of
from diffing.types import Row

commands = typer.Typer(add_completion=False)
FILES = {
    "llama2orig": "Llama 2 70B chat with its original system prompt; the rules were written on these responses "
    "and checked for false alarms on unlabelled chats",
    "gpt4": "GPT-4; looked at once, after the rules were finished",
}
"""The files, with what a reader must know about each."""
ABOUT = (
    "The lexical method's property “refuses” against the label that human annotators gave to each response: full "
    "refusal, partial refusal or full compliance. Source of responses and labels: XSTest v2 (Röttger et al. 2024, "
    "CC-BY-4.0), 450 prompts, of which 250 are safe and 200 unsafe.\n\n"
    "Recall is the share of full refusals that are counted. Precision is the share of full refusals among the full "
    "refusals and full compliances that are counted. Partial refusals are left out of both; the next column says how "
    "many of them are counted. The rules count a response that declines, whatever it helps with afterwards. So the "
    "last two columns take full and partial refusals together: the share of them that is counted, and the share of "
    "them among all counted responses. All intervals are 95% intervals by Wilson's method."
)
_COLUMNS = (
    ResultColumn("responses", "Responses of"),
    ResultColumn("recall", "Recall", "%"),
    ResultColumn("precision", "Precision", "%"),
    ResultColumn("partial", "Partial refusals that are counted", "%"),
    ResultColumn("recall_with_partial", "Recall, partial ones included", "%"),
    ResultColumn("precision_with_partial", "Precision, partial ones included", "%"),
)


def is_counted(response: str) -> bool:
    """Tells whether the property counts a response."""
    return BY_NAME["refusals"].value(ParsedResponse("", response, "stop")) == 1.0


def score(model: str, labelled: Iterable[tuple[str, str]]) -> LabelledSet:
    """Scores the property on pairs of label and response; labels begin with 1 (complies), 2 (full) or 3 (partial)."""
    counted: dict[str, list[bool]] = {"1": [], "2": [], "3": []}
    for label, response in labelled:
        counted[label[0]].append(is_counted(response))
    full, complies, partial = (sum(counted[kind]) for kind in ("2", "1", "3"))
    return LabelledSet(
        model,
        recall=wilson(full, len(counted["2"])),
        precision=wilson(full, full + complies),
        partial=wilson(partial, len(counted["3"])),
        recall_with_partial=wilson(full + partial, len(counted["2"]) + len(counted["3"])),
        precision_with_partial=wilson(full + partial, full + partial + complies),
    )


def scores_of(path: Path) -> LabelledSet:
    """Scores the property on a JSON Lines file with `label` and `response`."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return score(path.stem, ((row["label"], row["response"]) for row in rows))


def refusals_result(folder: Path, command: str) -> BenchmarkResult:
    """Makes the table of all files in a folder."""
    rows: list[Row] = []
    for name, said in FILES.items():
        scored = scores_of(folder / f"xstest_{name}.jsonl")
        shares = {column.name: estimate_cells(column.name, getattr(scored, column.name)) for column in _COLUMNS[1:]}
        rows.append({"responses": said} | {key: cell for cells in shares.values() for key, cell in cells.items()})
    return BenchmarkResult(
        kind="refusals",
        title="How well refusals are recognised",
        command=command,
        about=ABOUT,
        rows=tuple(rows),
        columns=_COLUMNS,
    )


@commands.command("refusals")
def _refusals(
    *,
    folder: Annotated[
        Path, typer.Option("--folder", parser=path_of, metavar="PATH", help="Folder of the labelled responses.")
    ] = Path("../shared/data/refusals"),
    save: SaveTo = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the result as JSON, for machines.")] = False,
) -> None:
    """Measure recall and precision of the property “refuses” against human labels."""
    show_result(refusals_result(folder, "python -m tests.benchmarks.refusals"), save, json_)


if __name__ == "__main__":
    main(commands=commands)
