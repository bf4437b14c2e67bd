"""Measures the SAE method's reading against dense activations: ``python -m tests.benchmarks.bench_sae_reading``.

The dense way, written for this comparison, is that of the papers' code: the activations of all latents at all tokens of
a text are a dense matrix, which is copied to the host, converted to a sparse matrix per text, and pooled when all texts
are done. Both ways read the same texts with the same cut reader, in alternation. The reader's forward pass and the
encoder's matrix product are also measured alone. The weights are random, since only times and memory matter, and the
thresholds are set so that about 60 latents are active at a token.

Memory is the peak above the memory after loading the weights, with a separate process for each way. The C library's
allocator is set to return large blocks (`MALLOC_MMAP_THRESHOLD_`): by default it keeps them as a program runs, which
would measure the allocator instead of the two ways.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from diffing.methods.features.sparse_latents import Latents
from diffing.methods.inside.response_tokens import TokenizedResponse
from diffing.methods.inside.text_batches import pad
from diffing.methods.sae.activations import SaeReader, read
from diffing.methods.sae.encode import encoder_for
from diffing.methods.sae.hook_names import SaeHook
from diffing.methods.sae.reader import CutReader


class TimedReader:
    """A reader that records the time of its forward passes."""

    def __init__(self, reader: CutReader) -> None:
        self._reader = reader
        self.seconds = 0.0

    @property
    def device(self) -> torch.device:
        return self._reader.device

    def hidden(self, batch: Any) -> torch.Tensor:
        wait(self.device)
        start = now()
        hidden = self._reader.hidden(batch)
        wait(self.device)
        self.seconds += now() - start
        return hidden


def now() -> float:
    """The time in processor seconds, since other programs may be running; on a GPU, the time of the clock."""
    return time.perf_counter() if torch.cuda.is_available() else time.process_time()


def wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def build(options: argparse.Namespace) -> tuple[CutReader, Any, list[TokenizedResponse]]:
    """Makes a random reader (already cut), a random JumpReLU SAE, and texts of varied lengths."""
    from sae_lens import JumpReLUSAE, JumpReLUSAEConfig
    from transformers import LlamaConfig, LlamaModel

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=8192,
        hidden_size=options.d_in,
        intermediate_size=options.d_in * 8 // 3,
        num_hidden_layers=options.layers,
        num_attention_heads=options.d_in // 64,
        num_key_value_heads=3 if options.d_in % 192 == 0 else 4,
        max_position_embeddings=4096,
    )
    dtype = torch.bfloat16 if options.device == "cuda" else torch.float32
    model = LlamaModel(config).eval().to(options.device, dtype)
    hook = SaeHook(options.layers, f"layers.{options.layers - 1}", "output")
    sae = JumpReLUSAE(JumpReLUSAEConfig(d_in=options.d_in, d_sae=options.d_sae, device=options.device))
    random = np.random.default_rng(0)
    texts = []
    for _ in range(options.texts):
        context, response = random.integers(10, 60), int(options.tokens * random.uniform(0.3, 1.7))
        texts.append(TokenizedResponse(random.integers(0, 8192, context + response).astype(np.int32), int(context)))
    reader = CutReader(model, None, hook)  # type: ignore[arg-type]
    with torch.inference_mode():
        pre = reader.hidden(pad(texts[:1])).float() @ sae.W_enc
        sae.threshold.data.fill_(float(pre.flatten().kthvalue(int(pre.numel() * (1 - 60 / options.d_sae))).values))
    return reader, sae, texts


def dense_way(reader: CutReader, sae: Any, texts: list[TokenizedResponse], batch: int = 8) -> tuple[float, Any]:
    """Encodes as this package does; returns the seconds without the reader's, and the pooled latents."""
    from scipy.sparse import csr_matrix, vstack

    seconds, kept = 0.0, []
    for start in range(0, len(texts), batch):
        rows = texts[start : start + batch]
        padded = pad(rows)
        whole = type(padded)(padded.ids, padded.mask.bool(), padded.mask)  # the papers' code encodes every token
        hidden = reader.hidden(whole)
        wait(reader.device)
        began = now()
        with torch.inference_mode():
            activations = sae.encode(hidden.float())
        matrix = activations.cpu().numpy()
        place = 0
        for text in rows:
            kept.append(csr_matrix(matrix[place : place + len(text.ids)]))
            place += len(text.ids)
        seconds += now() - began
    began = now()
    pooled = vstack([csr_matrix(one[text.start :].max(axis=0)) for one, text in zip(kept, texts, strict=True)])
    return seconds + now() - began, pooled


def our_way(reader: CutReader, sae: Any, texts: list[TokenizedResponse]) -> tuple[float, list[Latents]]:
    """Encodes every token, as the papers' code does; returns the seconds without the reader's, and the latents."""
    timed = TimedReader(reader)
    rows: dict[int, Latents] = {}
    sight = SaeReader(timed, encoder_for(sae), sae)  # type: ignore[arg-type]
    began = now()
    read(sight, texts, rows.__setitem__)
    wait(reader.device)
    return now() - began - timed.seconds, [rows[i] for i in range(len(texts))]


def forward_alone(reader: CutReader, texts: list[TokenizedResponse], d_sae: int) -> None:
    """Runs the cut reader on the package's batches."""
    from diffing.methods.sae import activations

    cpu = reader.device.type == "cpu"
    tokens = activations._BATCH_TOKENS_CPU if cpu else activations._BATCH_TOKENS_GPU
    rows = (activations._POOLED_CPU if cpu else activations._POOLED_GPU) // d_sae
    for places in activations.batches(texts, tokens, rows):
        reader.hidden(pad([texts[place] for place in places]))
    wait(reader.device)


def product_alone(sae: Any, texts: list[TokenizedResponse]) -> None:
    """Runs only the encoder's matrix product for the tokens of all responses, 512 at a time."""
    count = sum(text.tokens for text in texts)
    x = torch.randn(512, sae.cfg.d_in, device=sae.device)
    out = torch.empty(512, sae.cfg.d_sae, device=sae.device)
    with torch.inference_mode():
        for start in range(0, count, 512):
            part = min(512, count - start)
            torch.mm(x[:part], sae.W_enc, out=out[:part])
    wait(sae.device)


def clock(work: Callable[[], Any]) -> tuple[float, Any]:
    start = now()
    result = work()
    return now() - start, result


def measure_times(options: argparse.Namespace) -> dict[str, Any]:
    """Measures all four in alternation, and prints the medians over the rounds."""
    reader, sae, texts = build(options)
    seen: dict[str, list[float]] = {}
    for number in range(options.rounds + 1):
        total, (after, pooled) = clock(lambda: dense_way(reader, sae, texts))
        forward, _ = clock(lambda: forward_alone(reader, texts, options.d_sae))
        ours, (ours_after, rows) = clock(lambda: our_way(reader, sae, texts))
        product, _ = clock(lambda: product_alone(sae, texts))
        if number == 0:  # this warms up, and both ways must agree
            got = np.array([len(row.indices) for row in rows])
            want = np.diff(pooled.indptr)
            assert abs(got - want).max() <= 3 + 0.001 * want.max(), (got, want)
            continue
        for name, value in {
            "dense whole": total,
            "dense after the reader": after,
            "our whole": ours,
            "our after the reader": ours_after,
            "forward alone": forward,
            "product alone": product,
            "ratio after the reader": after / ours_after,
            "ratio whole to forward + product": ours / (forward + product),
            "ratio whole": total / ours,
        }.items():
            seen.setdefault(name, []).append(value)
    tokens = {"texts": len(texts), "tokens": sum(len(t.ids) for t in texts), "read": sum(t.tokens for t in texts)}
    return tokens | {name: round(statistics.median(values), 3) for name, values in seen.items()}


def measure_memory(options: argparse.Namespace, way: str) -> float:
    """Measures the peak memory in MB above the weights, in this process."""
    reader, sae, texts = build(options)
    if options.device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        base = torch.cuda.memory_allocated()
        (dense_way if way == "dense" else our_way)(reader, sae, texts)
        return (torch.cuda.max_memory_allocated() - base) / 1e6
    before = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    Path("/proc/self/clear_refs").write_text("5")  # the peak is reset
    _, kept = (dense_way if way == "dense" else our_way)(reader, sae, texts)
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    result = sum(row.indices.nbytes + row.values.nbytes for row in kept) if way == "ours" else 0
    if result:
        print(f"{f'size of the result, {len(texts)} texts':34} {result / 1e6:.0f} MB, part of:", flush=True)
    return (int(peak.split()[1]) * 1024 - before) / 1e6


def memory_of(options: argparse.Namespace, way: str, texts: int, layers: int, tokens: int) -> float:
    """Runs `measure_memory` in a fresh process."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "peak.json"
        sizes = {"d-in": options.d_in, "d-sae": options.d_sae, "texts": texts, "layers": layers, "tokens": tokens}
        flags = [f"--{name}={value}" for name, value in sizes.items()]
        command = [sys.executable, "-m", "tests.benchmarks.bench_sae_reading", *flags, f"--device={options.device}"]
        allocator = {"MALLOC_MMAP_THRESHOLD_": "524288", "MALLOC_TRIM_THRESHOLD_": "1000000"}
        subprocess.run([*command, f"--memory={way}", f"--out={out}"], check=True, env=os.environ | allocator)
        return float(json.loads(out.read_text()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--d-in", type=int, default=576)
    parser.add_argument("--d-sae", type=int, default=16_384)
    parser.add_argument("--texts", type=int, default=40)
    parser.add_argument("--tokens", type=int, default=200, help="mean length of a response")
    parser.add_argument("--layers", type=int, default=20, help="layers up to the hook")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--growth", type=int, nargs=2, default=(200, 2000), help="numbers of short texts for memory")
    parser.add_argument("--memory", choices=["dense", "ours"], help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.memory:
        options.out.write_text(json.dumps(measure_memory(options, options.memory)))
        return
    for name, value in measure_times(options).items():
        print(f"{name:34} {value}", flush=True)
    peaks = {way: memory_of(options, way, options.texts, 1, options.tokens) for way in ("dense", "ours")}
    for way, peak in peaks.items():
        print(f"{'memory above the weights, ' + way:34} {peak:.0f} MB")
    if peaks["ours"] > 1:
        print(f"{'ratio memory':34} {peaks['dense'] / peaks['ours']:.1f}")
    else:
        print("ratio memory: ours needs no more than loading the weights needed")
    for texts in options.growth:
        print(f"{f'memory of ours, {texts} short texts':34} {memory_of(options, 'ours', texts, 1, 20):.0f} MB")


if __name__ == "__main__":
    main()
