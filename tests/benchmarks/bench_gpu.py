"""Sets the training of a crosscoder on a GPU beside its estimate: `python -m tests.benchmarks.bench_gpu`.

Two models of 2.2 billion random parameters (26 blocks, 2,304 wide) read random sentences at half their depth, and a
crosscoder of 16,384 latents and its difference dictionary train on what they compute, for a minute or two. The pace is
extrapolated to the 20 million rows of the estimate. On a machine without a GPU the demo pair takes their place, which
only shows that the script runs. It takes about five minutes on one H100; the weights need 9 GB on disk.
"""

import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import transformers
import typer

from diffing.demo.config import FOLDER
from diffing.methods.crosscoder.cost import TrainingCost, expected_cost
from diffing.methods.crosscoder.crosscoder_options import CrosscoderOptions
from diffing.methods.crosscoder.training import train_both
from diffing.methods.crosscoder.training_choice import prepare
from diffing.methods.inside.pair_reading import InsidePair
from diffing.methods.inside.side_models import open_side
from diffing.methods.inside.texts import TrainingTexts
from diffing.models.local import LocalOptions
from diffing.types import SIDES, Row
from tests.benchmarks.bench_inside_rows import exchanges

commands = typer.Typer(add_completion=False)
BASE = FOLDER / "models" / "base"
DEMO = (BASE, FOLDER / "models" / "tuned")
WIDTH, BLOCKS = 2_304, 26
DEPTH = 0.5


class _EnoughError(Exception):
    """Ends a training whose pace is known."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The pace of a training."""

    rows: int
    """The rows that it was measured on."""
    seconds: float
    """How long they took, without the first step."""
    preparing: float
    """The seconds until the first step: loading, calibration, and the pass that measures the scale of activations."""
    latents: int
    """The number of latents of the crosscoder."""
    largest_gpu_bytes: int
    """The largest memory of the GPU in use at a time; 0 without a GPU."""

    @property
    def pace(self) -> float:
        """Rows per second."""
        return self.rows / self.seconds


def save_random(folder: Path, seed: int) -> Path:
    """Saves a Llama model of random weights, in bfloat16, with the demo's tokenizer."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    config = transformers.AutoConfig.from_pretrained(BASE)
    for name, value in {
        "hidden_size": WIDTH, "num_hidden_layers": BLOCKS, "intermediate_size": 4 * WIDTH, "num_attention_heads": 18,
        "num_key_value_heads": 18, "head_dim": 128, "initializer_range": 0.02,
    }.items():  # fmt: skip
        setattr(config, name, value)
    torch.manual_seed(seed)
    with torch.device(device):
        model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    model.save_pretrained(folder)
    transformers.AutoTokenizer.from_pretrained(BASE).save_pretrained(folder)
    return folder


def measure(folders: Sequence[Path], latents: int | None, texts: int, seconds: float) -> Measured:
    """Trains for some seconds.

    Args:
        folders: Models A and B.
        latents: The number of latents; None for the default.
        texts: The number of responses that are read.
        seconds: When the training is ended.
    """
    began = time.perf_counter()
    a, b = (
        open_side(str(each), side, depth=DEPTH, options=LocalOptions())
        for each, side in zip(folders, SIDES, strict=True)
    )
    told: list[tuple[int, float]] = []

    def on_rows(done: int, total: int) -> None:
        if done:
            told.append((done, time.perf_counter()))
            if told[-1][1] - told[0][1] > seconds:
                raise _EnoughError

    with InsidePair(a, b) as pair, tempfile.TemporaryDirectory() as kept:
        options = CrosscoderOptions(depth=DEPTH, latents=latents)
        prepared = prepare(pair, TrainingTexts(exchanges(texts)), options)
        checkpoints = (Path(kept, "crosscoder"), Path(kept, "difference"))
        try:
            train_both(prepared.settings, prepared.rows, checkpoints, on_rows)
        except _EnoughError:
            pass
        largest = torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0
        size = prepared.settings.latents
    (first, start), (last, end) = told[0], told[-1]
    return Measured(last - first, end - start, start - began, size, largest)


def row_of(measured: Measured, cost: TrainingCost) -> Row:
    """Sets what was measured beside the estimate."""
    return {
        "latents": measured.latents,
        "rows measured": measured.rows,
        "rows per second": round(measured.pace),
        "seconds before the first step": round(measured.preparing, 1),
        "minutes for all rows, measured": round(cost.rows / measured.pace / 60, 1),
        "minutes, estimated": round(cost.minutes(gpu=torch.cuda.is_available()), 1),
        "memory in GB, measured": round(measured.largest_gpu_bytes / 1e9, 1) or None,
        "memory in GB, estimated": round(cost.memory / 1e9, 1),
    }


@commands.command()
def main(
    *,
    seconds: Annotated[float, typer.Option(help="How long the training is measured.")] = 90.0,
    texts: Annotated[int, typer.Option(help="The number of responses that are read, of about 40 rows each.")] = 30_000,
) -> None:
    """Measure the pace of training on this machine."""
    with tempfile.TemporaryDirectory() as folder:
        if torch.cuda.is_available():
            print(torch.cuda.get_device_name(), flush=True)
            folders: Sequence[Path] = [save_random(Path(folder, side), seed) for seed, side in enumerate(SIDES)]
            parameters, latents = 12 * WIDTH**2 * BLOCKS + 4 * WIDTH**2 * BLOCKS, None
        else:
            print("There is no GPU: the demo pair on the CPU shows only that this runs.", flush=True)
            folders, parameters, latents, texts = DEMO, 926_000, 256, min(texts, 600)
        measured = measure(folders, latents, texts, seconds)
    print(json.dumps(row_of(measured, expected_cost((parameters, parameters), DEPTH, latents)), indent=1))


if __name__ == "__main__":
    commands()
