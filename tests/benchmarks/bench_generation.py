"""Measures the speed of continuous against static batching: `python -m tests.benchmarks.bench_generation [MODEL]`.

A Llama with random weights (about 15 million parameters) answers 100 prompts of 10 to 200 tokens greedily, on one
thread. The answers have 16 to 256 tokens; their lengths are drawn beforehand, because random weights never stop by
themselves. With a folder of a model, that model answers 64 prompts of 20 to 80 tokens with 8 to 96 tokens, once.
Both kinds of batching run alternately in one process, because absolute numbers drift. Processor seconds are measured,
because other programs may be running.
"""

import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import (
    AutoModelForCausalLM,
    GenerationConfig,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    StoppingCriteriaList,
)

from diffing.models.local.continuous_batching import ContinuousBatch
from diffing.models.local.decoding import DecodingJob, DecodingRow
from tests.benchmarks.speed import row, store

ROUNDS = 2
LEAST = {
    ("slots, 16 rows", False): "",
    ("slots, 16 rows", True): "",
    ("slots, 64 rows", False): "at least 2.8",
    ("slots, 64 rows", True): "at least 1.8",
}
"""How many times as fast a way must be, with random weights and with a model's."""


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    draw = random.Random(0)
    if folder := "".join(sys.argv[1:2]):
        model, rounds = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval(), 1
        shapes = [(draw.randint(20, 80), draw.randint(8, 96)) for _ in range(64)]
    else:
        model, rounds = random_llama(), ROUNDS
        shapes = [(draw.randint(10, 200), draw.randint(16, 256)) for _ in range(100)]
    prompts = [[draw.randrange(3, 32000) for _ in range(length)] for length, _ in shapes]
    limits = [limit for _, limit in shapes]
    ways: dict[str, Callable[[], list[list[int]]]] = {
        "static batches of 16, generate": lambda: static(model, prompts, limits, 16),
        "slots, 16 rows": lambda: slots(model, prompts, limits, 16),
        "slots, 64 rows": lambda: slots(model, prompts, limits, 64),
    }
    parameters = sum(weight.numel() for weight in model.parameters())
    sys.stdout.write(f"{parameters / 1e6:.1f}M parameters, {len(prompts)} prompts, {sum(limits)} new tokens\n")
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    expected: list[list[int]] | None = None
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.process_time()
            answers = way()
            seconds[name].append(time.process_time() - start)
            sys.stderr.write(f"{name}: {seconds[name][-1]:.1f} s\n")
            expected = expected or answers
            same = sum(mine == theirs for mine, theirs in zip(answers, expected, strict=True))
            assert same >= 0.95 * len(prompts), f"{name}: only {same} of {len(prompts)} answers are those of `generate`"
    base = next(iter(seconds.values()))
    rows = []
    for name, times in seconds.items():
        ratio = statistics.median(b / t for b, t in zip(base, times, strict=True))
        most = "" if times is base else LEAST[name, bool(folder)]
        rows.append(row(f"{name}: tokens per processor second", sum(limits) / statistics.median(times), "tokens/s", ""))
        rows.append(row(f"{name}: as fast as static batches", ratio, "times", most))
    about = f"{parameters / 1e6:.1f}M parameters, {len(prompts)} prompts, {sum(limits)} new tokens, one thread."
    title = "Generation against static batches"
    given = "FOLDER" if folder else ""
    store("generation", title, about, rows, {"rounds": rounds}, of=Path(folder or "").name, given=given)


def random_llama() -> LlamaForCausalLM:
    """A model of about 15 million parameters."""
    config = LlamaConfig(
        vocab_size=32000,
        hidden_size=288,
        intermediate_size=768,
        num_hidden_layers=6,
        num_attention_heads=6,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
    )
    return LlamaForCausalLM(config).eval()


def static(model: PreTrainedModel, prompts: list[list[int]], limits: list[int], rows: int) -> list[list[int]]:
    """Runs batches in the order of the input, each until its last row is done."""
    answers = []
    for start in range(0, len(prompts), rows):
        batch, ends = prompts[start : start + rows], limits[start : start + rows]
        longest = max(map(len, batch))
        ids = torch.tensor([[0] * (longest - len(prompt)) + prompt for prompt in batch])
        mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in batch])
        lengths = torch.tensor(ends)

        def done(
            so_far: torch.Tensor, scores: torch.Tensor, longest=longest, lengths=lengths, **kwargs: object
        ) -> torch.Tensor:
            return so_far.shape[1] - longest >= lengths

        output = model.generate(
            inputs=ids,
            attention_mask=mask,
            generation_config=GenerationConfig(max_new_tokens=max(ends), do_sample=False, pad_token_id=0),
            stopping_criteria=StoppingCriteriaList([done]),
        )
        answers += [row[:end] for row, end in zip(output[:, longest:].tolist(), ends, strict=True)]
    return answers


def slots(model: PreTrainedModel, prompts: list[list[int]], limits: list[int], rows: int) -> list[list[int]]:
    """Runs the package's loop."""
    todo = [DecodingRow(i, prompt, limit, b"") for i, (prompt, limit) in enumerate(zip(prompts, limits, strict=True))]
    job = DecodingJob(
        choose=lambda logits, rows: logits.argmax(dim=-1).tolist(),
        stop_ids=frozenset(),
        ends=lambda written: False,
        max_rows=rows,
        max_tokens=10**9,
        on_finish=lambda row: None,
        on_tokens=lambda count: None,
    )
    ContinuousBatch(model, job).run(todo)
    return [row.written for row in todo]


if __name__ == "__main__":
    main()
