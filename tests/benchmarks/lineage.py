"""Compares each model of a lineage with the one before it: `python -m tests.benchmarks.lineage MODEL MODEL ...`.

It accepts any models; recordings cost nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Annotated, Any

import typer
from rich.console import Console

from diffing.bench.results import BenchmarkResult, ResultColumn, estimate_cells
from diffing.cli.bench.printing import SaveTo, reproducing_command, show_result
from diffing.cli.commands import main
from diffing.cli.flags import build, with_flags
from diffing.cli.progress import progress_bars
from diffing.cli.shared_options import Cache, Json
from diffing.config import DiffConfig, Limits, settings_of
from diffing.errors import SettingError
from diffing.metrics import wilson
from diffing.model_ref import read_ref, without_folders
from diffing.models.cache import Store
from diffing.outputs.phrasing import line_statement
from diffing.report.grouped_list import ListEntry
from diffing.report.index import index_of
from diffing.report.model_names import ModelNames
from diffing.run import run
from diffing.types import OnProgress, PropertyMeasure, Report, Row, Scalar, ignore_progress

commands = typer.Typer(add_completion=False)
ABOUT = (
    "Each model is compared with the one before it, on the same prompts. Hypotheses come from train prompts alone; the "
    "numbers are those of the held-out prompts, which suggested nothing, and every line is confirmed there at a false "
    "discovery rate of 5% over the hypotheses of its step. The first differences of the list are shown; the place "
    "gives the rank of a difference and the number of all. Signs of one behaviour are one difference, and words and "
    "phrases that say no more are left out.\n\n"
    "Net difference is the share of prompts on which the sentence fits the named model better, less the share on which "
    "it fits the other better, in percentage points with its 95% interval. For measured properties, the means before "
    "and after are those of the property per response, on the train prompts."
)
_COLUMNS = (
    ResultColumn("step", "Step"),
    ResultColumn("place", "Place"),
    ResultColumn("change", "What changed"),
    ResultColumn("net", "Net difference, points", "points"),
    ResultColumn("share_for", "Prompts for", "%"),
    ResultColumn("share_against", "Prompts against", "%"),
    ResultColumn("mean_before", "Mean before"),
    ResultColumn("mean_after", "Mean after"),
)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a lineage: a model, its successor, and their comparison."""

    names: ModelNames
    """The short names of the two models."""
    report: Report
    """The report of their comparison, with the earlier model as A."""

    @property
    def name(self) -> str:
        """The names of the two models, with an arrow."""
        return f"{self.names.a} → {self.names.b}"


def lineage(
    models: Sequence[tuple[str, str]],
    config: DiffConfig,
    *,
    limits: Limits | None = None,
    store: Store | None = None,
    on_progress: OnProgress = ignore_progress,
) -> list[Step]:
    """Compares each model with the one before it.

    Args:
        models: The name and the model string of each model, the earliest first.
        config: The prompts, methods and settings; its models are ignored.
        limits: The hard limits of each comparison.
        store: The cache of completions; None uses the user's cache folder.
        on_progress: Called with the progress of every stage of every diff.

    Raises:
        DiffingError: Anything that the user can fix, in one line.
    """
    if len(models) < 2:
        raise SettingError(f"A lineage of {len(models)} models has no step: give at least two, the earliest first")
    if len({name for name, _ in models}) < len(models):
        raise SettingError("Two models of the lineage have the same name. Give each its own name with --name")
    steps = []
    for (name_a, model_a), (name_b, model_b) in pairwise(models):
        one = replace(config, model_a=model_a, model_b=model_b)
        report = run(one, limits=limits, store=store, on_progress=on_progress)
        steps.append(Step(ModelNames(name_a, name_b), report))
    return steps


def lineage_result(
    steps: Sequence[Step], *, most: int, command: str, settings: dict[str, Scalar], title: str
) -> BenchmarkResult:
    """Makes the table of the first confirmed differences of every step.

    Args:
        steps: The steps, in order.
        most: The largest number of differences per step.
        command: The command that reproduces the result.
        settings: The settings that affected the result.
        title: The table's headline.
    """
    rows: list[Row] = []
    for step in steps:
        lines = index_of(step.report).differences
        rows += [_row(step, line, f"{at} of {len(lines)}") for at, line in enumerate(lines[:most], 1)]
    return BenchmarkResult(
        kind="lineage", title=title, command=command, about=ABOUT, rows=tuple(rows), settings=settings,
        columns=_COLUMNS,
    )  # fmt: skip


def _row(step: Step, line: ListEntry, place: str) -> Row:
    finding = line.lead
    heldout = finding.heldout
    means = {
        str(row["property"]): (row["mean_a"], row["mean_b"]) for row in step.report.tables.get("lexical_properties", ())
    }
    measure = finding.hypothesis.measure
    name = measure.name if isinstance(measure, PropertyMeasure) else ""
    before, after = means.get(name, (None, None))
    return {
        "step": step.name,
        "place": place,
        "change": line_statement(line, step.names),
        "method": finding.hypothesis.method,
        "category": finding.hypothesis.category,
        **estimate_cells("net", heldout.net_difference),
        **estimate_cells("share_for", wilson(heldout.k_for, heldout.n)),
        **estimate_cells("share_against", wilson(heldout.k_against, heldout.n)),
        "mean_before": before,
        "mean_after": after,
        "q": heldout.q,
    }


@commands.command("lineage")
@with_flags(DiffConfig, Limits, without=("model_a", "model_b"))
def _lineage(
    *,
    model: Annotated[list[str], typer.Argument(help="Models, the earliest first.", show_default=False)],
    name: Annotated[list[str] | None, typer.Option("--name", help="What to call each, in the same order.")] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="Differences shown per step.")] = 8,
    cache: Cache = None,
    save: SaveTo = None,
    title: Annotated[str, typer.Option("--title", help="Headline of the result.")] = "What each step changed",
    json_: Json = False,
    **values: Any,
) -> None:
    """Compare each model with the one before it: base, fine-tuned, aligned, ..."""
    config, limits = build(DiffConfig, values, model_a="", model_b=""), build(Limits, values)
    if name and len(name) != len(model):
        raise SettingError(f"There are {len(model)} models and {len(name)} --name: expected one for each")
    plain = [without_folders(each) for each in model]
    called = name or [read_ref(each).short_at_revision for each in plain]
    store = Store.in_folder(cache) if cache else None
    with progress_bars(Console(stderr=True)) as on_progress:
        models = list(zip(called, model, strict=True))
        steps = lineage(models, config, limits=limits, store=store, on_progress=on_progress)
    arguments = [*plain, *(part for each in name or [] for part in ("--name", each)), "--most", str(most)]
    result = lineage_result(
        steps,
        most=most,
        command=reproducing_command("python -m tests.benchmarks.lineage", arguments, config),
        settings={"models": ", ".join(plain), "most": most, **settings_of(config)},
        title=title,
    )
    show_result(result, save, json_)


if __name__ == "__main__":
    main(commands=commands)
