"""Tiny pairs of a base and a tuned model of every admitted architecture, and chats of random tokens."""

from typing import Any

import numpy as np
import torch
import transformers

from diffing.methods.adapters.branches import new_branches
from diffing.methods.adapters.hybrid import Hybrid
from diffing.methods.inside.response_tokens import TokenizedResponse

WIDTH, BLOCKS, WORDS, FEATURES = 16, 2, 40, 24
SHAPE: dict[str, Any] = {
    "vocab_size": WORDS,
    "hidden_size": WIDTH,
    "intermediate_size": 32,
    "num_hidden_layers": BLOCKS,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 8,
    "max_position_embeddings": 64,
    "initializer_range": 0.2,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
ARCHITECTURES = ("llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3_text")


def model(kind: str = "llama", seed: int = 0) -> Any:
    """A model with random weights."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return transformers.AutoModelForCausalLM.from_config(transformers.AutoConfig.for_model(kind, **SHAPE)).eval()


def tuned(base: Any, *parts: str, size: float = 0.1, seed: int = 7) -> Any:
    """A copy of a model in which the weights whose names hold one of the parts are changed."""
    other = type(base)(base.config).eval()
    other.load_state_dict(base.state_dict())
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in other.named_parameters():
            if any(part in name for part in parts):
                weight += size * torch.randn(weight.shape, generator=random)
    return other


def hybrid(base: Any, other: Any, features: int = FEATURES) -> Hybrid:
    """The hybrid of two models with new branches."""
    return Hybrid(other, base, new_branches(BLOCKS, WIDTH, features, seed=0))


def chats(count: int, seed: int = 0) -> list[TokenizedResponse]:
    """Chats of random tokens and various lengths."""
    random = np.random.default_rng(seed)
    return [
        TokenizedResponse(random.integers(3, WORDS, length).astype(np.int32), int(random.integers(1, 5)))
        for length in random.integers(6, 14, count)
    ]
