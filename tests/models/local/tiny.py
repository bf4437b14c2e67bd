"""Tiny real models in transformers' format, with random weights and a byte-level tokenizer, written to folders."""

from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from diffing.types import Conversation, Message

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
EOS, IM_START, IM_END = 256, 257, 258
VOCABULARY = 260
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SHAPE: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    # spread out, so that greedy answers are no near ties
    "initializer_range": 0.5,
    "eos_token_id": EOS,
    "bos_token_id": None,
    "pad_token_id": EOS,
}


def tokenizer(template: str | None = CHATML) -> transformers.PreTrainedTokenizerFast:
    """One token per byte, and three special ones."""
    alphabet = {sign: i for i, sign in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    core = Tokenizer(models.BPE(alphabet, []))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    core.decoder = decoders.ByteLevel()
    made = transformers.PreTrainedTokenizerFast(
        tokenizer_object=core, eos_token=SPECIAL[0], pad_token=SPECIAL[0], additional_special_tokens=SPECIAL[1:]
    )
    made.chat_template = template
    return made


def config(kind: str) -> Any:
    """A small configuration of one architecture."""
    if kind == "gpt2":
        return transformers.GPT2Config(
            vocab_size=VOCABULARY, n_embd=32, n_layer=2, n_head=4, n_positions=256, eos_token_id=EOS, bos_token_id=None,
            initializer_range=0.5,
        )  # fmt: skip
    if kind == "mamba":
        return transformers.MambaConfig(
            vocab_size=VOCABULARY, hidden_size=32, state_size=4, num_hidden_layers=2, eos_token_id=EOS,
            initializer_range=0.5,
        )  # fmt: skip
    more: dict[str, Any] = {}
    if kind == "bloom":
        more = {"n_layer": 2, "n_head": 4, "seq_length": 256}
    if kind == "mistral":
        more = {"sliding_window": 8}
    if kind == "gemma3_text":
        more = {"sliding_window": 8, "layer_types": ["sliding_attention", "full_attention"], "head_dim": 8}
    return transformers.AutoConfig.for_model(kind, **SHAPE, **more)


def save(folder: Path, kind: str = "llama", *, seed: int = 0, template: str | None = CHATML) -> Path:
    """Writes a model of an architecture with its tokenizer."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = transformers.AutoModelForCausalLM.from_config(config(kind))
    model.save_pretrained(folder)
    tokenizer(template).save_pretrained(folder)
    return folder


def says(text: str, system: str | None = None) -> Conversation:
    """A conversation of one user turn."""
    head = () if system is None else (Message("system", system),)
    return (*head, Message("user", text))


MIXED = [says("word " * n + str(n)) for n in (9, 0, 3, 17, 1, 30, 5, 2, 12, 7, 21, 4)]
"""Prompts of many lengths."""
