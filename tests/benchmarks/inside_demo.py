"""Measures what looking inside finds of what is planted in the demo pair: `python -m tests.benchmarks.inside_demo`.

A behaviour is told by a latent that held-out prompts confirm, if the responses in which the latent is active are those
that show the behaviour: F1 of at least 0.6 over the held-out responses of both models.
"""

import json
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from diffing.bench.results import BenchmarkResult, ResultColumn
from diffing.cli.bench.printing import SaveTo, show_result
from diffing.cli.commands import main
from diffing.config import DiffConfig
from diffing.demo.config import demo_config
from diffing.methods.crosscoder.method import CrosscoderMethod
from diffing.methods.features.feature_screening import mcnemar
from diffing.methods.features.read_pairs import ReadPair, read_pairs
from diffing.metrics import FALSE_DISCOVERY_RATE
from diffing.models.cache import Store
from diffing.run import ModelBuilder, run
from diffing.types import Pair, Report, Row
from tests.benchmarks.demo import GROUND_TRUTH

commands = typer.Typer(add_completion=False)
TELLS = 0.6
"""The lowest F1 with which a latent tells a behaviour."""
KINDS = {"exclusive": ("exclusive a", "exclusive b"), "difference": ("difference",), "changed": ("changed",),
         "shared": ("shared",)}  # fmt: skip
"""The kinds of features, as the table of features calls them."""
PLANTED: Sequence[Mapping[str, Any]] = json.loads(GROUND_TRUTH.read_text(encoding="utf-8"))["planted"]


@dataclass(frozen=True, slots=True)
class Told:
    """What a crosscoder tells of the demo pair."""

    report: Report
    """The report of the run."""
    screened: Mapping[str, int]
    """By kind, the number of latents whose rates differ on train."""
    confirmed: Mapping[str, int]
    """By kind, how many of these held-out prompts confirm."""
    behaviours: Mapping[str, frozenset[str]]
    """By kind, the planted behaviours that a confirmed latent tells."""
    occurring: frozenset[str]
    """The planted behaviours that occur in held-out responses at all."""

    @property
    def all(self) -> frozenset[str]:
        """The behaviours that a latent of any kind tells."""
        return frozenset().union(*self.behaviours.values())


def crosscoder_config(*, null: bool = False, seed: int = 1) -> DiffConfig:
    """Configures the crosscoder method on the demo pair, or on two samples of the base model.

    Args:
        null: Whether both sides are the base model.
        seed: The seed of the training.
    """
    config = demo_config()
    other = {"model_b": config.model_a, "sample_b": 1} if null else {}
    return replace(config, method=("crosscoder",), reader=None, sae=None, depth=(0.75,), seed=seed, **other)  # type: ignore[call-arg]


def measure(config: DiffConfig, store: Store) -> Told:
    """Runs the method and looks at every latent whose rates differ on train, also at those that are not followed up.

    Args:
        config: The run.
        store: Caches completions; the state of the training is kept beside it.
    """
    report = run(config, store=store)
    train, heldout = ([pair for pair in report.pairs if pair.prompt.split == split] for split in ("train", "heldout"))
    method = ModelBuilder(config, store, None).methods()[0]
    assert isinstance(method, CrosscoderMethod)
    method.find_hypotheses(train)  # goes on from the finished training
    return _told(report, method, heldout)


def _told(report: Report, method: CrosscoderMethod, heldout: Sequence[Pair]) -> Told:
    found = method._found()
    pairs, _ = read_pairs(heldout, found.reading.read)
    latents = [one for one in found.features.screened if found.features.followable[one.index]]
    active = [_active(pairs, one.index, float(found.statements.thresholds[one.index])) for one in latents]
    only = [(int((a & ~b).sum()), int((b & ~a).sum())) for a, b in active]
    confirmed = _confirmed(only, [one.direction for one in latents])
    shown = {each["id"]: _shown(pairs, each["pattern"]) for each in PLANTED}
    behaviours: dict[str, set[str]] = {kind: set() for kind in KINDS}
    counts = {kind: [0, 0] for kind in KINDS}
    for one, both, is_confirmed in zip(latents, active, confirmed, strict=True):
        kind = next(name for name, kinds in KINDS.items() if found.statements.kinds[one.index] in kinds)
        counts[kind][0] += 1
        counts[kind][1] += is_confirmed
        if is_confirmed:
            behaviours[kind] |= {name for name, shows in shown.items() if _f1(np.concatenate(both), shows) >= TELLS}
    return Told(
        report=report,
        screened={kind: count[0] for kind, count in counts.items()},
        confirmed={kind: count[1] for kind, count in counts.items()},
        behaviours={kind: frozenset(names) for kind, names in behaviours.items()},
        occurring=frozenset(name for name, shows in shown.items() if shows.sum() > 2),
    )


def _active(pairs: Sequence[ReadPair], index: int, above: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    a, b = (np.array([getattr(pair, side).value(index) > above for pair in pairs], dtype=bool) for side in "ab")
    return a, b


def _shown(pairs: Sequence[ReadPair], pattern: str) -> NDArray[np.bool_]:
    found = [re.search(pattern, getattr(pair.pair, side).text) is not None for side in "ab" for pair in pairs]
    return np.array(found, dtype=bool)


def _f1(active: NDArray[np.bool_], shows: NDArray[np.bool_]) -> float:
    together = int((active & shows).sum())
    return 2 * together / max(int(active.sum() + shows.sum()), 1)


def _confirmed(only: Sequence[tuple[int, int]], directions: Sequence[str]) -> list[bool]:
    """Tells which latents differ on held-out pairs in the direction that train gave, with one correction over all."""
    from scipy.stats import false_discovery_control

    if not only:
        return []
    counts = np.array(only)
    q = false_discovery_control(mcnemar(counts[:, 0], counts[:, 1]), method="bh")
    as_predicted = [(a > b) == (side == "a") for (a, b), side in zip(only, directions, strict=True)]
    return [bool(one <= FALSE_DISCOVERY_RATE) and right for one, right in zip(q, as_predicted, strict=True)]


def result_of(told: Told, null: Told) -> BenchmarkResult:
    """Makes the table of what was told.

    Args:
        told: Of the pair.
        null: Of two samples of the base model.
    """
    return BenchmarkResult(
        kind="crosscoder",
        title="What looking inside finds of what is planted in the demo pair",
        command="python -m tests.benchmarks.inside_demo",
        about=f"The crosscoder method on the demo pair, read after block 3 of 4, and on two samples of its base model. "
        f"{__doc__.split(chr(10) * 2, 1)[1].strip()}" if __doc__ else "",
        rows=tuple(_rows("demo pair", told)) + tuple(_rows("base, two samples", null)),
        columns=(
            ResultColumn("pair", "Pair"),
            ResultColumn("kind", "Kind of feature"),
            ResultColumn("screened", "Differ on train"),
            ResultColumn("confirmed", "Confirmed"),
            ResultColumn("told", "Behaviours told"),
            ResultColumn("names", "Which"),
        ),
    )  # fmt: skip


def _rows(pair: str, told: Told) -> Iterator[Row]:
    for kind in KINDS:
        names = told.behaviours[kind]
        yield _row(pair, kind, told.screened[kind], told.confirmed[kind], names)
    yield _row(pair, "all", sum(told.screened.values()), sum(told.confirmed.values()), told.all)


def _row(pair: str, kind: str, screened: int, confirmed: int, names: frozenset[str]) -> Row:
    told = ", ".join(sorted(names)) or None
    return {"pair": pair, "kind": kind, "screened": screened, "confirmed": confirmed, "told": len(names), "names": told}


@commands.command("inside-demo")
def _inside_demo(
    *,
    save: SaveTo = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the result as JSON, for machines.")] = False,
) -> None:
    """Measure what looking inside finds of what is planted in the demo pair."""
    with tempfile.TemporaryDirectory(prefix="diffing-inside-") as folder:
        store = Store.in_folder(Path(folder))
        told, null = (measure(crosscoder_config(null=null), store) for null in (False, True))
    show_result(result_of(told, null), save, json_)


if __name__ == "__main__":
    main(commands=commands)
