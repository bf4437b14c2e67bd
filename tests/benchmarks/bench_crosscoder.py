"""Trains crosscoders on synthetic worlds whose features are known: `python -m tests.benchmarks.bench_crosscoder`.

Beside every number stands the prototype's, which chose the method's parameters; its worlds were other draws of the same
kind.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import typer

from diffing.bench.results import BenchmarkResult, ResultColumn
from diffing.cli.bench.printing import SaveTo, show_result
from diffing.cli.commands import main
from diffing.methods.crosscoder.training import train
from diffing.types import Row
from tests.methods.crosscoder.worlds import Examined, Found, World, examine, settings

commands = typer.Typer(add_completion=False)
ABOUT = (
    "Crosscoders of 192 latents (72 where it says too small), k 4, 256 rows a step, two spaces of 64 dimensions with "
    "96 shared, 12 weakly shared and 16 exclusive features. “Partition” gives 5 % of the latents to each model alone."
    "\n\nFVE is the fraction of variance explained on rows never trained on, the lower one of both models. Found is "
    "how many of the 16 exclusive features have a latent that is exclusive to the right model and correlates with them "
    "above 0.7, false how many latents are called exclusive that are none of these. Known is how many of the 16 any "
    "latent tells (F1 above 0.7): in the world in which each exclusive feature follows a shared one in nine of ten "
    "cases, the shared one's latent does. In the null world B's space is A's, rotated, so that nothing is exclusive. "
    "Medians over seeds, ranges in brackets; the prototype had one seed."
)


@dataclass(frozen=True, slots=True)
class Case:
    """A world and a dictionary."""

    name: str
    prototype: str
    """The prototype's FVE, found, false, and both after latent scaling."""
    world: Callable[[int], World]
    latents: int = 192
    own: int = 0


PLAIN, PARTITION = "BatchTopK", "BatchTopK + partition"
CASES = (
    Case(PLAIN, "0.97; 16, 0; kept 16, 0", World),
    Case(PARTITION, "0.97; 16, 14; kept 16, 0", World, own=10),
    Case(f"too small, {PLAIN}", "0.79; 0, 0; kept 0, 0", World, 72),
    Case(f"too small, {PARTITION}", "0.75; 2, 15; kept 2, 0", World, 72, 4),
    Case(f"follows, {PLAIN}", "0.97; 1, 0; kept 0; 16 known", lambda seed: World(seed, follows=0.9)),
    Case(f"follows, {PARTITION}", "0.97; 1, 19; kept 0; 16 known", lambda seed: World(seed, follows=0.9), own=10),
    Case(f"null, {PLAIN}", "0.95; -, 0; kept 0", lambda seed: World(seed, rotated=True)),
    Case(f"null, {PARTITION}", "0.95; -, 5; kept 0", lambda seed: World(seed, rotated=True), own=10),
)
OWN_ALONE = "the partition's own latents alone", "0.97; 1, 10; kept 1, 0"
_COLUMNS = (
    ResultColumn("dictionary", "Dictionary"),
    ResultColumn("fve", "FVE"),
    ResultColumn("found", "Found of 16"),
    ResultColumn("false", "False"),
    ResultColumn("kept", "Found after latent scaling"),
    ResultColumn("kept_false", "False after latent scaling"),
    ResultColumn("known", "Known of 16"),
    ResultColumn("seconds", "Seconds of CPU"),
    ResultColumn("prototype", "The prototype's"),
)


def measure(case: Case, seed: int, steps: int) -> tuple[Examined, float]:
    """Trains one dictionary; returns what it knows, and the processor seconds of the training."""
    world = case.world(seed)
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        chosen = settings(world, latents=case.latents, own=case.own, steps=steps)
        trained = train(chosen, world, Path(folder) / "training.safetensors")
        return examine(world, trained), time.process_time() - began


def row(
    name: str, prototype: str, measured: Sequence[tuple[Examined, float]], of: Callable[[Examined], tuple[Found, Found]]
) -> Row:
    """Makes the row of one dictionary over all seeds."""
    all_found, all_kept = zip(*(of(one) for one, _ in measured), strict=True)
    return {
        "dictionary": name,
        "fve": _range([min(one.quality.fve) for one, _ in measured], 2),
        "found": _range([one.true for one in all_found]),
        "false": _range([one.false for one in all_found]),
        "kept": _range([one.true for one in all_kept]),
        "kept_false": _range([one.false for one in all_kept]),
        "known": _range([int((one.known > 0.7).sum()) for one, _ in measured]),
        "seconds": _range([seconds for _, seconds in measured]),
        "prototype": prototype,
    }


def _range(numbers: Sequence[float], digits: int = 0) -> str:
    middle, low, high = (f"{one:.{digits}f}" for one in (statistics.median(numbers), min(numbers), max(numbers)))
    return middle if low == high else f"{middle} ({low}-{high})"


@commands.command("crosscoder")
def _crosscoder(
    *,
    seeds: Annotated[int, typer.Option(help="Number of seeds.")] = 1,
    steps: Annotated[int, typer.Option(help="Steps of each training.")] = 1_500,
    save: SaveTo = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the result as JSON, for machines.")] = False,
) -> None:
    """Train crosscoders on synthetic worlds and count which exclusive features they find."""
    torch.set_num_threads(1)
    rows: list[Row] = []
    for case in CASES:
        measured = [measure(case, seed, steps) for seed in range(seeds)]
        rows.append(row(case.name, case.prototype, measured, lambda one: (one.exclusive, one.kept)))
        if case is CASES[1]:
            rows.append(row(*OWN_ALONE, measured, lambda one: (one.own, one.own_kept)))
    result = BenchmarkResult(
        kind="crosscoder",
        title="Which exclusive features a crosscoder finds in synthetic worlds",
        command="python -m tests.benchmarks.bench_crosscoder",
        about=ABOUT,
        settings={"seeds": seeds, "steps": steps},
        rows=tuple(rows),
        columns=_COLUMNS,
    )
    show_result(result, save, json_)


if __name__ == "__main__":
    main(commands=commands)
