"""Measures what drawing a token costs beside the model's own step: `python -m tests.benchmarks.bench_drawing MODEL...`.

Each model is a folder with a causal language model. It takes one step for 16 conversations of 64 tokens, on one thread;
then tokens are drawn from its logits at several settings, alternately, because absolute numbers drift. Processor
seconds are measured, because other programs may be running.
"""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from diffing.models.base import Sampling
from diffing.models.local.token_sampling import draw, noise_key
from diffing.prompts import load_prompts
from diffing.types import Message
from tests.benchmarks.speed import row, store

ROWS, TOKENS, ROUNDS = 16, 64, 5
SETTINGS = ((0.7, 1.0), (0.7, 0.95), (1.0, 0.95), (1.0, 1.0))


def main() -> None:
    torch.set_num_threads(1)
    for folder in sys.argv[1:]:
        measure(folder)


@torch.inference_mode()
def measure(folder: str) -> None:
    """Measures the processor time of the model's step and of every setting, and stores the shares."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    texts = [prompt.text for prompt in load_prompts("bundled")]
    ids = tokenizer("\n\n".join(texts), return_tensors="pt").input_ids[0]
    asked = ids[: ROWS * TOKENS].reshape(ROWS, TOKENS)
    read = model(asked[:, :-1], use_cache=True)
    logits = model(asked[:, -1:], past_key_values=read.past_key_values).logits[:, -1]
    read.past_key_values.crop(-1)

    def step() -> None:
        model(asked[:, -1:], past_key_values=read.past_key_values)
        read.past_key_values.crop(-1)

    ways: dict[str, Callable[[], object]] = {"the model's step": step}
    for temperature, top_p in SETTINGS:
        sampling = Sampling(temperature=temperature, top_p=top_p)
        keys = [noise_key((Message("user", str(n)),), sampling) for n in range(ROWS)]
        ways[f"drawing, temperature {temperature:g}, top_p {top_p:g}"] = lambda sampling=sampling, keys=keys: draw(
            logits, sampling, keys, [0] * ROWS
        )
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            start = time.process_time()
            way()
            seconds[name].append(time.process_time() - start)
    base = statistics.median(seconds["the model's step"])
    rows = [row("the model's step", 1000 * base, "processor ms", "")]
    for name in list(seconds)[1:]:
        share = 100 * statistics.median(seconds[name]) / base
        rows.append(row(f"{name}: share of the step", share, "%", "15 %" if name.endswith("0.95") else ""))
    about = f"Drawing {ROWS} tokens of a vocabulary of {logits.shape[-1]:,}, float32, one thread."
    store("drawing", "Drawing tokens", about, rows, {"rounds": ROUNDS}, of=Path(folder).name, given="FOLDER")


if __name__ == "__main__":
    main()
