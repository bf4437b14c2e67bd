"""Measures what adapters recover and tell on the demo pair: `python -m tests.benchmarks.bench_adapters`.

A behaviour is told by a feature that held-out prompts confirm, if the responses in which the feature is active are
those that show the behaviour: F1 of at least 0.6 over the held-out responses of both models. Features that were hardly
trained stand beside the trained ones, because a threshold chosen on train makes even random features tell something.
"""

import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from diffing.bench.results import BenchmarkResult, ResultColumn
from diffing.cli.bench.printing import SaveTo, show_result
from diffing.cli.commands import main
from diffing.config import DiffConfig
from diffing.demo.config import demo_config
from diffing.methods.adapters.method import AdaptersMethod
from diffing.methods.adapters.trust import AdaptersTrust, measure_trust
from diffing.methods.exchanges import UnreadableResponse
from diffing.methods.features.read_pairs import read_pairs
from diffing.models.cache import Store
from diffing.run import ModelBuilder, run
from diffing.types import SIDES, Row
from tests.benchmarks import inside_demo

commands = typer.Typer(add_completion=False)
FEATURES, SPARSITY = 96, 3e-3
TOKENS = {"trained": 100_000, "hardly trained": 500, "base with itself": 5_000}
"""The number of tokens that each row of the table is trained on."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What adapters recover and tell."""

    trust: AdaptersTrust
    steps_seconds: float
    """Processor seconds of training and of reading the train responses."""
    screened: int
    """The number of features whose rates differ on train."""
    confirmed: int
    """How many of these held-out prompts confirm."""
    told: frozenset[str]
    """The planted behaviours that a confirmed feature tells."""


def adapters_config(tokens: int, *, null: bool = False) -> Any:
    """Configures the adapters method on the demo pair, or on two samples of the base model."""
    config: Any = demo_config()
    other = {"model_b": config.model_a, "sample_b": 1} if null else {}
    own = {"adapter_features": FEATURES, "adapter_sparsity": SPARSITY, "adapter_tokens": tokens}
    return replace(config, method=("adapters",), reader=None, sae=None, **own, **other)


def measure(config: DiffConfig, store: Store) -> Measured:
    """Trains adapters, and looks at every feature whose rates differ on train."""
    pairs = run(replace(config, method=("lexical",)), store=store).pairs
    train, heldout = ([pair for pair in pairs if pair.prompt.split == split] for split in ("train", "heldout"))
    method = ModelBuilder(config, store, None).methods()[0]
    assert isinstance(method, AdaptersMethod)
    began = time.process_time()
    method.find_hypotheses(train)
    seconds = time.process_time() - began
    found = method._found()
    both, _ = read_pairs(heldout, found.reading.read_above)
    active = [inside_demo._active(both, one.index, 0.0) for one in found.screened]
    only = [(int((a & ~b).sum()), int((b & ~a).sum())) for a, b in active]
    confirmed = inside_demo._confirmed(only, [one.direction for one in found.screened])
    shown = {each["id"]: inside_demo._shown(both, each["pattern"]) for each in inside_demo.PLANTED}
    told = {
        name
        for name, shows in shown.items()
        for sides, yes in zip(active, confirmed, strict=True)
        if yes and inside_demo._f1(np.concatenate(sides), shows) >= inside_demo.TELLS
    }
    reader = found.reading.reader
    texts = [reader.chat(pair.exchange(side)) for pair in both for side in SIDES]
    trust = measure_trust(reader.hybrid, [text for text in texts if not isinstance(text, UnreadableResponse)])
    return Measured(trust, seconds, len(found.screened), sum(confirmed), frozenset(told))


def row(name: str, measured: Measured) -> Row:
    """The row of one training."""
    trust = measured.trust
    return {
        "training": name,
        "base": round(trust.base, 3),
        "without": round(trust.without_branches, 3),
        "hybrid": round(trust.hybrid, 3),
        "recovered": None if trust.recovered is None else round(trust.recovered, 4),
        "active": round(sum(trust.active) / len(trust.active), 1),
        "dead": round(trust.dead, 4),
        "screened": measured.screened,
        "confirmed": measured.confirmed,
        "told": len(measured.told),
        "names": ", ".join(sorted(measured.told)) or None,
        "seconds": round(measured.steps_seconds),
    }


def result_of(rows: list[Row]) -> BenchmarkResult:
    """Makes the table."""
    return BenchmarkResult(
        kind="adapters",
        title="What adapters recover and tell on the demo pair",
        command="python -m tests.benchmarks.bench_adapters",
        about=f"Adapters with {FEATURES} features per block between the demo's base and its tuned model, lambda "
        f"{SPARSITY:g}. KL is that of the tuned model to each other one, in nats per token of held-out responses. The "
        "prototype, which chose the method's parameters, had KL 4.12 for the base, 1.33 without branches and 0.11 for "
        "the hybrid, 28 of 96 features active, and told 6 of 13 behaviours. A behaviour is told by a confirmed feature "
        "that is active in the responses which show it: F1 of at least 0.6 over the held-out responses of both models. "
        "Features that were hardly trained stand beside the trained ones, because a threshold that is chosen on train "
        "makes even random features tell something.",
        rows=tuple(rows),
        columns=(
            ResultColumn("training", "Training"),
            ResultColumn("base", "KL of the base"),
            ResultColumn("without", "KL without branches"),
            ResultColumn("hybrid", "KL of the hybrid"),
            ResultColumn("recovered", "Recovered", "%"),
            ResultColumn("active", "Features active"),
            ResultColumn("screened", "Differ on train"),
            ResultColumn("confirmed", "Confirmed"),
            ResultColumn("told", "Behaviours told"),
            ResultColumn("names", "Which"),
            ResultColumn("seconds", "Seconds of a processor"),
        ),
    )


@commands.command("adapters")
def _adapters(
    *,
    save: SaveTo = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the result as JSON, for machines.")] = False,
) -> None:
    """Measure what adapters recover and tell on the demo pair."""
    with tempfile.TemporaryDirectory(prefix="diffing-adapters-") as folder:
        store = Store.in_folder(Path(folder))
        rows = [
            row(name, measure(adapters_config(tokens, null=name == "base with itself"), store))
            for name, tokens in TOKENS.items()
        ]
    show_result(result_of(rows), save, json_)


if __name__ == "__main__":
    main(commands=commands)
