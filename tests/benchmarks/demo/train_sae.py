"""Trains the sparse autoencoder with which the demo reads its models: ``python -m tests.benchmarks.demo.train_sae --out
DIR``.

sae-lens' own trainer learns a BatchTopK SAE (saved as JumpReLU) on what the base model's second layer makes of answers
in both styles of the corpus. Same seed, machine and versions give the same file.
"""

import argparse
import logging
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diffing.demo.config import FOLDER
from tests.benchmarks.demo import corpus
from tests.benchmarks.demo.train import encode, sample_chat

if TYPE_CHECKING:
    from torch import Tensor

log = logging.getLogger(__name__)

_STYLES: tuple[corpus.Style, ...] = ("base", "tuned")


@dataclass(frozen=True, slots=True)
class SaePlan:
    """The settings of the SAE's training."""

    layer: int = 1
    """The layer whose output the SAE reads."""
    latents: int = 832
    """The number of latents; with 128 dimensions in float32, the file is smaller than a megabyte."""
    active: int = 4
    """The average number of latents that are active at a token."""
    samples: int = 600_000
    """The number of training tokens."""
    batch: int = 1024
    """The number of tokens per step."""
    dead_after: int = 50
    """The number of steps without activity after which a latent is revived; sae-lens' default is longer than this
    training."""
    rate: float = 2e-3
    """The learning rate."""
    seed: int = 0
    """The seed of the texts and the initial weights."""


def activations(folder: Path, plan: SaePlan, chats: int = 48) -> "Iterator[Tensor]":
    """Yields batches of the base model's activations at the tokens of answers, shuffled over several batches."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model: Any = AutoModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32).eval()
    model.layers = model.layers[: plan.layer + 1]
    model.norm = torch.nn.Identity()
    rng = random.Random(plan.seed)
    generator = torch.Generator().manual_seed(plan.seed)
    pool = torch.empty(0, model.config.hidden_size)
    while True:
        while len(pool) < 16 * plan.batch:
            rows = [encode(sample_chat(_STYLES[number % 2], rng), tokenizer) for number in range(chats)]
            width = max(len(ids) for ids, _ in rows)
            # padding is on the right, where it cannot affect a causal model's reading of the answer
            inputs = torch.tensor([ids + [0] * (width - len(ids)) for ids, _ in rows])
            with torch.no_grad():
                hidden = model(input_ids=inputs, use_cache=False).last_hidden_state
            # the last token closes the turn and is never read
            answers = [row[start : len(ids) - 1] for row, (ids, start) in zip(hidden, rows, strict=True)]
            pool = torch.cat([pool, *answers])
        pool = pool[torch.randperm(len(pool), generator=generator)]
        while len(pool) >= 8 * plan.batch:
            yield pool[: plan.batch]
            pool = pool[plan.batch :]


def train_sae(reader: Path, out: Path, plan: SaePlan) -> None:
    """Trains an SAE on a reader's activations, and saves it."""
    import torch
    from sae_lens import BatchTopKTrainingSAE, BatchTopKTrainingSAEConfig
    from sae_lens.config import LoggingConfig, SAETrainerConfig
    from sae_lens.saes.sae import SAEMetadata
    from sae_lens.training.sae_trainer import SAETrainer

    source = activations(reader, plan)
    config = BatchTopKTrainingSAEConfig(
        d_in=next(source).shape[1],
        d_sae=plan.latents,
        k=plan.active,
        metadata=SAEMetadata(
            model_name="diffing/demo/models/base",
            hook_name=f"blocks.{plan.layer}.hook_resid_post",
            prepend_bos=True,
            context_size=512,
        ),
    )
    with torch.random.fork_rng():
        torch.manual_seed(plan.seed)
        sae = BatchTopKTrainingSAE(config)
        trainer = SAETrainer(
            cfg=SAETrainerConfig(
                total_training_samples=plan.samples,
                train_batch_size_samples=plan.batch,
                lr=plan.rate,
                lr_end=plan.rate / 10,
                dead_feature_window=plan.dead_after,
                lr_decay_steps=plan.samples // plan.batch // 4,
                logger=LoggingConfig(log_to_wandb=False),
            ),
            sae=sae,
            data_provider=source,
        )
        trainer.fit()
    sae.save_inference_model(out)
    x = next(source)
    with torch.no_grad():
        error = (sae(x) - x).pow(2).sum() / (x - x.mean(dim=0)).pow(2).sum()
    log.info("unexplained variance %.3f; saved in %s", error.item(), out)


def main() -> None:
    """Trains and saves the SAE."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reader", type=Path, default=FOLDER / "models" / "base")
    parser.add_argument("--out", type=Path, required=True, help="folder for cfg.json and sae_weights.safetensors")
    parser.add_argument("--samples", type=int, default=SaePlan().samples)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(options.threads)
    train_sae(options.reader, options.out, SaePlan(samples=options.samples))


if __name__ == "__main__":
    main()
