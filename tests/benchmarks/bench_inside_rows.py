"""Measures the stream of training rows of two models: ``python -m tests.benchmarks.bench_inside_rows``.

The demo pair reads answers made of the demo's prompts, all different. Memory is the peak of the process above that
after loading the weights, for a number of rows and for ten times as many, each in a process of its own. Speed is in
rows per processor second, with reading by both models. With `--without-models`, random rows take the place of what
the models would read, so that only the memory of the stream itself is seen.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor

import diffing.demo
from diffing.methods.exchanges import Exchange
from diffing.methods.inside.pair_reading import InsidePair
from diffing.methods.inside.side_models import open_side
from diffing.methods.inside.texts import TrainingTexts
from diffing.methods.inside.training_rows import StreamSizes, TrainingRows
from diffing.methods.inside.two_readers import Window
from diffing.models.local import LocalOptions
from diffing.types import Message

DEMO = Path(diffing.demo.__file__).parent
BATCH = 2048


def exchanges(number: int) -> list[Exchange]:
    """Different exchanges of about 60 tokens."""
    lines = (DEMO / "prompts.jsonl").read_text("utf-8").splitlines()
    texts = [json.loads(line)["messages"][-1]["content"] for line in lines]
    return [
        Exchange(
            (Message("user", texts[i % len(texts)]),), f"{i} {texts[7 * i % len(texts)]} {texts[i // 3 % len(texts)]}"
        )
        for i in range(number)
    ]


def peak() -> int:
    """The largest memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def random_rows(windows: Iterable[Window], shard_rows: int | None = None) -> Iterator[list[tuple[Tensor, Tensor]]]:
    """What `InsidePair.rows` gives, without models."""
    for window in windows:
        yield [(torch.randn(len(text.ends), 128), torch.randn(len(text.ends), 128)) for text in window]


def measure(rows: int, buffer_rows: int, *, with_models: bool = True) -> dict[str, float]:
    """Streams one pass over about `rows` rows."""
    options = LocalOptions(device="cpu")
    a = open_side(str(DEMO / "models" / "base"), "a", options=options)
    b = open_side(str(DEMO / "models" / "tuned"), "b", options=options)
    with InsidePair(a, b) as pair:
        texts = exchanges(rows // 40)
        pair.calibrate(texts[:64])
        if not with_models:
            pair.rows = random_rows  # type: ignore[method-assign]
        stream = TrainingRows(pair, TrainingTexts(texts), rows, sizes=StreamSizes(buffer_rows))
        before, start = peak(), time.process_time()
        read = sum(len(batch.a) for batch in islice(stream.batches(BATCH), stream.total // BATCH))
        seconds = time.process_time() - start
    return {"rows": read, "MB": peak() - before, "rows per second": round(read / seconds)}


def main() -> None:
    """Measures both numbers of rows."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=40_000)
    parser.add_argument("--buffer-rows", type=int, default=1 << 14)
    parser.add_argument("--alone", action="store_true", help="measure in this process")
    parser.add_argument("--without-models", action="store_true", help="random rows instead of reading")
    given = parser.parse_args()
    if given.alone:
        print(json.dumps(measure(given.rows, given.buffer_rows, with_models=not given.without_models)))
        return
    for rows in (given.rows, 10 * given.rows):
        command = [sys.executable, "-m", "tests.benchmarks.bench_inside_rows", "--alone", f"--rows={rows}"]
        command += [f"--buffer-rows={given.buffer_rows}", *(["--without-models"] if given.without_models else [])]
        # the allocator returns large blocks at once: otherwise it would be measured instead
        environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536"}
        print(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip())


if __name__ == "__main__":
    main()
