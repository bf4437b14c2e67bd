"""Checks the package's tests and intervals on simulated verdicts: `python -m tests.benchmarks.statistics`."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from diffing.bench.results import save_result
from diffing.cli.bench.printing import show_result
from diffing.cli.commands import main
from diffing.cli.progress import progress_bars
from diffing.cli.shared_options import Json
from diffing.paths import path_of
from tests.benchmarks.simulation import Part
from tests.benchmarks.simulation import statistics as simulate

commands = typer.Typer(add_completion=False)


@commands.command()
def statistics(
    *,
    runs: Annotated[int, typer.Option("--runs", min=1, help="Simulated runs per row.")] = 2000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of all draws.")] = 0,
    only: Annotated[Part | None, typer.Option("--only", help="The only part to run.", show_default=False)] = None,
    save: Annotated[
        Path | None,
        typer.Option(
            "--save",
            parser=path_of,
            metavar="PATH",
            help="Keep the results in this folder, for the results page.",
            show_default=False,
        ),
    ] = None,
    json_: Json = False,
) -> None:
    """Test the statistics on simulated verdicts: false confirmations, intervals, what early stopping keeps and
    saves, and scopes."""
    with progress_bars(Console(stderr=True)) as on_progress:
        results = simulate(runs, seed=seed, only=only, on_progress=on_progress)
    if save:
        for name, result in results.items():
            save_result(result, save / f"{name}.json")
    if json_:
        print(json.dumps({name: asdict(result) for name, result in results.items()}, indent=2, ensure_ascii=False))
        return
    for result in results.values():
        show_result(result, None, json_=False)


if __name__ == "__main__":
    main(commands=commands)
