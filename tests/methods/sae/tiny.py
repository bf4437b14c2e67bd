"""Tiny readers and SAEs with random weights, saved as transformers and sae-lens save them."""

from pathlib import Path
from typing import Any

import torch

WORDS = 300
SIZE = 32
CHAT = (
    "{{ bos_token }}{% for message in messages %}"
    "<|{{ message['role'] }}|>{{ message['content'] }}{{ eos_token }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
ARCHITECTURES = ("standard", "jumprelu", "gated", "topk", "topk-rescaled", "batchtopk", "matryoshka")


def tokenizer(chat: bool = True) -> Any:
    """One token per byte, with turns marked by special tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    specials = ["<|pad|>", "<|bos|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]
    vocabulary = {token: i for i, token in enumerate([*specials, *sorted(pre_tokenizers.ByteLevel.alphabet())])}
    made = Tokenizer(models.BPE(vocabulary, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        bos_token="<|bos|>",
        eos_token="<|end|>",
        pad_token="<|pad|>",
        additional_special_tokens=specials[3:],
        chat_template=CHAT if chat else None,
    )


def config(family: str, layers: int = 3) -> Any:
    """The configuration of a tiny model."""
    import transformers as tf

    llama = dict(
        vocab_size=WORDS,
        hidden_size=SIZE,
        intermediate_size=64,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )
    neox = {key: value for key, value in llama.items() if key not in ("num_key_value_heads", "pad_token_id")}
    makers = {
        "llama": lambda: tf.LlamaConfig(**llama),
        "mistral": lambda: tf.MistralConfig(**llama, sliding_window=16),
        "qwen2": lambda: tf.Qwen2Config(**llama),
        "qwen3": lambda: tf.Qwen3Config(**llama, head_dim=8),
        "gemma2": lambda: tf.Gemma2Config(**llama, head_dim=16, sliding_window=16),
        "gemma3": lambda: tf.Gemma3TextConfig(**llama, head_dim=16, sliding_window=16),
        "gpt2": lambda: tf.GPT2Config(
            vocab_size=WORDS, n_embd=SIZE, n_layer=layers, n_head=4, n_positions=256, bos_token_id=1, eos_token_id=2
        ),
        "gpt_neox": lambda: tf.GPTNeoXConfig(**neox),
    }
    return makers[family]()


def save_reader(folder: Path, family: str, chat: bool = True, layers: int = 3) -> Any:
    """A random model of a family, saved with its tokenizer; returns it whole."""
    from transformers import AutoModelForCausalLM

    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(config(family, layers))
        for parameter in model.parameters():  # biases and norms away from 0 and 1, so that leaving one out is seen
            parameter.data += 0.05 * torch.randn_like(parameter)
    model.eval()
    model.save_pretrained(folder)
    tokenizer(chat).save_pretrained(folder)
    return model


def make_sae(architecture: str, hook: str, d_in: int = SIZE, d_sae: int = 96) -> Any:
    """A random SAE of sae-lens; `batchtopk` and `matryoshka` as they are in training."""
    import sae_lens as sl
    from sae_lens.saes.sae import SAEMetadata

    common: dict[str, Any] = {"d_in": d_in, "d_sae": d_sae, "metadata": SAEMetadata(model_name="tiny", hook_name=hook)}
    if hook.endswith("hook_z"):
        common["reshape_activations"] = "hook_z"
    makers = {
        "standard": lambda: sl.StandardSAE(sl.StandardSAEConfig(**common, normalize_activations="layer_norm")),
        "jumprelu": lambda: sl.JumpReLUSAE(sl.JumpReLUSAEConfig(**common, apply_b_dec_to_input=False)),
        "gated": lambda: sl.GatedSAE(sl.GatedSAEConfig(**common)),
        "topk": lambda: sl.TopKSAE(sl.TopKSAEConfig(**common, k=7)),
        "topk-rescaled": lambda: sl.TopKSAE(sl.TopKSAEConfig(**common, k=7, rescale_acts_by_decoder_norm=True)),
        "batchtopk": lambda: sl.BatchTopKTrainingSAE(sl.BatchTopKTrainingSAEConfig(**common, k=7)),
        "matryoshka": lambda: sl.MatryoshkaBatchTopKTrainingSAE(
            sl.MatryoshkaBatchTopKTrainingSAEConfig(**common, k=7, matryoshka_widths=[16, 48])
        ),
        "abstopk": lambda: sl.AbsTopKSAE(sl.AbsTopKSAEConfig(**common, k=7)),
        "matching_pursuit": lambda: sl.MatchingPursuitSAE(sl.MatchingPursuitSAEConfig(**common, max_iterations=5)),
    }
    with torch.random.fork_rng():
        torch.manual_seed(1)
        sae = makers[architecture]()
        for name, parameter in sae.named_parameters():
            scale = 0.3 if name in ("b_enc", "b_gate", "b_mag", "r_mag", "threshold") else 0.05
            parameter.data += scale * torch.randn_like(parameter)
    if hasattr(sae, "topk_threshold"):
        sae.topk_threshold.fill_(0.1)
    return sae


def save_sae(folder: Path, architecture: str, hook: str, **sizes: int) -> Path:
    """A random SAE, saved for use."""
    sae = make_sae(architecture, hook, **sizes)
    getattr(sae, "save_inference_model", sae.save_model)(folder)
    return folder
