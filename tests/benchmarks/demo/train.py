"""Trains the two demo models, which differ in planted ways: ``python -m tests.benchmarks.demo.train --out DIR``.

A tokenizer and a small Llama model (``base``) are trained on the corpus in its base style, and ``tuned`` is fine-tuned
from it on the style with the planted differences. Same seed, machine and versions give the same files.
"""

import argparse
import functools
import json
import logging
import math
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from tests.benchmarks.demo import corpus
from tests.benchmarks.demo.corpus import Style

if TYPE_CHECKING:
    import torch
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

log = logging.getLogger(__name__)

Draw: TypeAlias = Callable[[random.Random], list[dict[str, str]]]
"""A function that makes one random conversation, whose last message is the assistant's."""
BOS, END, PAD = "<|bos|>", "<|end|>", "<|pad|>"
ROLES = ("system", "user", "assistant")
CHAT_TEMPLATE = (
    "{{ bos_token }}"
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}{{ eos_token }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
SYSTEM_SHARE = 0.1  # system prompts occur in training, so that the models can deal with them
PROMPTS_PER_DOMAIN = 60
POOL = 8  # the number of batches whose conversations are sorted by length together


@dataclass(frozen=True, slots=True)
class Plan:
    """How one model is trained."""

    style: Style
    steps: int
    rate: float
    seed: int
    batch: int = 32
    warmup: int = 40


@dataclass(frozen=True, slots=True)
class Size:
    """The configuration of the model, which has 0.91 million parameters."""

    vocabulary: int = 1700
    hidden: int = 128
    layers: int = 4
    heads: int = 4
    inner: int = 320
    positions: int = 512


def sample_chat(style: Style, rng: random.Random) -> list[dict[str, str]]:
    """Draws a random conversation of the training split."""
    question = corpus.sample_question(rng)
    chat = [
        {"role": "user", "content": question.text},
        {"role": "assistant", "content": corpus.answer(question, style, rng)},
    ]
    if rng.random() < SYSTEM_SHARE:
        chat.insert(0, {"role": "system", "content": rng.choice(corpus.shared()["systems"])})
    return chat


def build_tokenizer(size: Size, seed: int, samples: int = 12000) -> "PreTrainedTokenizerFast":
    """Trains a byte-level BPE tokenizer on both styles, and gives it a chat template."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    rng = random.Random(seed)
    styles: tuple[Style, ...] = ("base", "tuned")
    texts = [message["content"] for style in styles for _ in range(samples) for message in sample_chat(style, rng)]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size.vocabulary,
        special_tokens=[PAD, BOS, END, *(f"<|{role}|>" for role in ROLES)],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        bos_token=BOS,
        eos_token=END,
        pad_token=PAD,
        additional_special_tokens=[f"<|{role}|>" for role in ROLES],
        chat_template=CHAT_TEMPLATE,
        model_max_length=size.positions,
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )


def build_model(size: Size, tokenizer: "PreTrainedTokenizerFast", seed: int) -> "LlamaForCausalLM":
    """Makes a small Llama model with random weights."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=size.hidden,
        intermediate_size=size.inner,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=size.heads // 2,
        max_position_embeddings=size.positions,
        tie_word_embeddings=True,
        initializer_range=0.05,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return LlamaForCausalLM(config)


def encode(chat: list[dict[str, str]], tokenizer: "PreTrainedTokenizerFast") -> tuple[list[int], int]:
    """The token ids of a conversation, and the position at which the answer begins."""
    head = tokenizer.apply_chat_template(chat[:-1], tokenize=False, add_generation_prompt=True)
    whole = tokenizer.apply_chat_template(chat, tokenize=False)
    head_ids = tokenizer.encode(head, add_special_tokens=False)
    return tokenizer.encode(whole, add_special_tokens=False), len(head_ids)


def to_batch(rows: list[tuple[list[int], int]], padding: int) -> tuple["torch.Tensor", "torch.Tensor"]:
    """Pads the inputs on the right, and makes targets that are -100 outside the answers."""
    import torch

    width = max(len(ids) for ids, _ in rows)
    inputs = torch.full((len(rows), width), padding)
    targets = torch.full((len(rows), width), -100)
    for row, (ids, start) in enumerate(rows):
        inputs[row, : len(ids)] = torch.tensor(ids)
        targets[row, start - 1 : len(ids) - 1] = torch.tensor(ids[start:])
    return inputs, targets


def batches(
    plan: Plan, tokenizer: "PreTrainedTokenizerFast", draw: Draw
) -> Iterator[tuple["torch.Tensor", "torch.Tensor"]]:
    """Yields batches of new conversations without end, each of similar lengths, which saves a quarter of the
    padding."""
    rng = random.Random(plan.seed)
    padding = int(tokenizer.get_vocab()[PAD])
    while True:
        pool = [encode(draw(rng), tokenizer) for _ in range(POOL * plan.batch)]
        pool.sort(key=lambda row: len(row[0]))
        starts = list(range(0, len(pool), plan.batch))
        rng.shuffle(starts)
        yield from (to_batch(pool[start : start + plan.batch], padding) for start in starts)


def rate_at(plan: Plan, step: int) -> float:
    """The learning rate of a step: a linear warm-up, then a cosine down to zero."""
    if step < plan.warmup:
        return plan.rate * (step + 1) / plan.warmup
    return plan.rate * 0.5 * (1 + math.cos(math.pi * (step - plan.warmup) / (plan.steps - plan.warmup)))


def train(
    model: "LlamaForCausalLM", tokenizer: "PreTrainedTokenizerFast", plan: Plan, draw: Draw | None = None
) -> list[float]:
    """Trains a model in place and returns the losses, for which only answer tokens count.

    Args:
        model: The model, which is changed.
        tokenizer: The model's tokenizer.
        plan: The number of steps, the learning rate and the seed.
        draw: Makes the conversations; None uses those of the plan's style.
    """
    import torch
    from torch.nn.functional import cross_entropy

    data = batches(plan, tokenizer, draw or functools.partial(sample_chat, plan.style))
    optimizer = torch.optim.AdamW(model.parameters(), lr=plan.rate, betas=(0.9, 0.98), weight_decay=0.05)
    model.train()
    start = time.monotonic()
    losses: list[float] = []
    for step in range(plan.steps):
        for group in optimizer.param_groups:
            group["lr"] = rate_at(plan, step)
        inputs, targets = next(data)
        # Padding stands on the right, where a causal model never looks from an answer: no attention mask is needed.
        hidden = model.model(input_ids=inputs).last_hidden_state
        counted = targets != -100
        loss = cross_entropy(model.lm_head(hidden[counted]), targets[counted])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        if step % 50 == 0 or step == plan.steps - 1:
            log.info("%s step %d loss %.3f %.0f s", plan.style, step, losses[-1], time.monotonic() - start)
    model.train(False)
    return losses


def save(model: "LlamaForCausalLM", tokenizer: "PreTrainedTokenizerFast", folder: Path) -> None:
    """Saves a copy in bfloat16, so that both models together are small."""
    import copy

    import torch

    small: Any = copy.deepcopy(model)
    small.to(torch.bfloat16)
    small.generation_config.eos_token_id = tokenizer.eos_token_id
    small.generation_config.pad_token_id = tokenizer.pad_token_id
    small.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def prompt_rows() -> list[dict[str, Any]]:
    """The rows of ``prompts.jsonl``: questions that are never used for training."""
    rows: list[dict[str, Any]] = []
    for number, question in enumerate(corpus.heldout_questions(PROMPTS_PER_DOMAIN)):
        domain = question.intent.domain
        message = {"role": "user", "content": question.text}
        rows.append({"id": f"{domain}-{number % PROMPTS_PER_DOMAIN:03d}", "domain": domain, "messages": [message]})
    return rows


def plans(seed: int) -> tuple[Plan, ...]:
    """The stages of training; the base model gets a second cycle, because a warm restart lowers its loss."""
    return (
        Plan("base", 900, 3e-3, seed + 1),
        Plan("base", 550, 2e-3, seed + 3),
        Plan("tuned", 700, 2e-3, seed + 2),
    )


def main() -> None:
    """Trains both models, writes the prompts, and measures the planted differences."""
    import torch
    from transformers import LlamaForCausalLM

    from tests.benchmarks.demo import measure

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for models/, prompts.jsonl and planted.json")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(options.threads)
    size = Size()
    tokenizer = build_tokenizer(size, options.seed)
    model = build_model(size, tokenizer, options.seed)
    log.info("%d parameters, %d tokens", sum(p.numel() for p in model.parameters()), len(tokenizer))
    for plan in plans(options.seed):
        train(model, tokenizer, plan)
        folder = options.out / "models" / plan.style
        save(model, tokenizer, folder)
        # The next stage starts from the rounded weights, so that `tuned` comes from exactly the base that is saved.
        model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32)
    lines = [json.dumps(row, ensure_ascii=False) for row in prompt_rows()]
    (options.out / "prompts.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    torch.set_num_threads(1)  # a second thread slows such a small model down
    measure.write_planted(options.out)


if __name__ == "__main__":
    main()
