"""A tiny configuration of every architecture that transformers offers for causal language modelling.

Sizes are set by what they are called: transformers has no common way to ask for a small model.
"""

import dataclasses
from typing import Any

from transformers import PreTrainedConfig
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from tests.models.local.tiny import EOS, VOCABULARY

LAYERS = 4
SIZES: dict[str, Any] = {
    **dict.fromkeys(("hidden_size", "d_model", "n_embd", "dim", "emb_dim", "decoder_hidden_size"), 32),
    **dict.fromkeys(("embedding_size", "word_embed_proj_dim", "hidden_dim", "width", "embed_dim"), 32),
    **dict.fromkeys(("encoder_hidden_size", "output_hidden_size", "out_hidden_size", "projection_dim"), 32),
    **dict.fromkeys(("vocab_size_per_layer_input", "text_vocab_size", "unpadded_vocab_size"), VOCABULARY),
    **dict.fromkeys(("intermediate_size", "ffn_dim", "d_ff", "n_inner", "d_inner", "dff", "ffn_hidden_size"), 64),
    **dict.fromkeys(("decoder_ffn_dim", "encoder_ffn_dim", "feed_forward_size", "shared_expert_intermediate_size"), 64),
    **dict.fromkeys(("moe_intermediate_size", "expert_ffn_hidden_size", "mlp_hidden_size", "block_ff_dim"), 32),
    **dict.fromkeys(("num_hidden_layers", "n_layer", "n_layers", "num_layers", "depth"), LAYERS),
    **dict.fromkeys(("decoder_layers", "encoder_layers"), LAYERS),
    **dict.fromkeys(("num_attention_heads", "n_head", "n_heads", "num_heads"), 4),
    **dict.fromkeys(("decoder_attention_heads", "encoder_attention_heads"), 4),
    **dict.fromkeys(("num_key_value_heads", "num_kv_heads", "multi_query_group_num"), 2),
    **dict.fromkeys(("head_dim", "attention_head_dim", "v_head_dim", "qk_nope_head_dim", "qk_rope_head_dim"), 8),
    **dict.fromkeys(("max_position_embeddings", "n_positions", "n_ctx", "seq_length", "max_seq_len"), 256),
    **dict.fromkeys(("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts"), 4),
    **dict.fromkeys(("num_experts_per_tok", "num_experts_per_token", "moe_topk", "moe_top_k", "moe_k"), 2),
    **dict.fromkeys(("n_group", "topk_group", "n_shared_experts", "num_shared_experts"), 1),
    **dict.fromkeys(("q_lora_rank", "kv_lora_rank", "state_size", "mamba_d_state", "ssm_state_size"), 16),
    **dict.fromkeys(("first_k_dense_replace", "num_dense_layers"), 1),
    **dict.fromkeys(("sliding_window", "attention_window_size", "attention_chunk_size"), 16),
    **dict.fromkeys(("image_size",), 16),
    **dict.fromkeys(("patch_size",), 8),
    "vocab_size": VOCABULARY,
    "initializer_range": 0.5,  # spread out, so that greedy answers are no near ties
    "init_std": 0.5,
    "eos_token_id": EOS,
    "pad_token_id": 0,
    "bos_token_id": EOS,
}
SPECIAL: dict[str, dict[str, Any]] = {
    "mamba2": {"num_heads": 8, "n_groups": 2},
    "dots3_note_text": {"num_key_value_heads": 4},
    "gemma3n_text": {"num_kv_shared_layers": 2, "layer_types": ["sliding_attention", "full_attention"] * 2},
    "gpt_neo": {"attention_types": [[["global", "local"], 2]]},
    "reformer": {"is_decoder": True, "axial_pos_embds": False},
    "prophetnet": {"num_encoder_layers": 2, "num_decoder_layers": 2, "num_decoder_attention_heads": 4},
    "zamba2": {"layer_types": ["mamba", "hybrid"] * 2, "mamba_headdim": 8, "n_mamba_heads": 8, "num_mem_blocks": 2},
    "codegen": {"rotary_dim": 4},
    "gptj": {"rotary_dim": 4},
    "bamba": {"mamba_n_heads": 8, "mamba_d_head": 8, "attn_layer_indices": [1, 3]},
    "granitemoehybrid": {"mamba_n_heads": 8, "mamba_d_head": 8, "layer_types": ["mamba", "attention"] * 2},
    "kimi_linear": {"layer_types": ["linear_attention", "full_attention"] * 2},
    "bailing_hybrid": {"layer_types": ["linear_attention", "full_attention"] * 2},
    "jamba": {"attn_layer_period": 2, "attn_layer_offset": 1},
    "xmod": {"is_decoder": True, "default_language": "en_XX"},
    "dory": {"sliding_window": 256},
    "xlstm": {"qk_dim_factor": 1.0},
    "gemma4_assistant": {"hidden_size_per_layer_input": 0},
    "zaya": {"num_experts_per_tok": 1},
    "moshi": {"audio_vocab_size": VOCABULARY},
    "lfm2_moe": {"layer_types": ["conv", "full_attention"] * 2},
    "zamba": {"num_hidden_layers": 6, "attn_layer_period": 3, "attn_layer_offset": 2},
    **{
        encoder: {"is_decoder": True}
        for encoder in (
            *("bert", "bert-generation", "big_bird", "camembert", "data2vec-text", "electra", "ernie", "megatron-bert"),
            *("rembert", "roberta", "roberta-prelayernorm", "roc_bert", "roformer", "xlm-roberta", "xlm-roberta-xl"),
        )
    },
}
"""What the sizes of some would contradict."""


def architectures() -> list[str]:
    """Model types, sorted; by name, which imports none of them."""
    return sorted(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.keys() - {"gpt-sw3"})  # another name of gpt2


def tiny_config(config_class: type[PreTrainedConfig]) -> PreTrainedConfig:
    """A small configuration; its parts (text, vision, audio) are small as well."""
    default = config_class()
    known = {field.name for field in dataclasses.fields(config_class)} | set(vars(default))  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for name, value in SIZES.items():
        own = config_class.attribute_map.get(name, name)
        if own in known:
            values[own] = value
    if "kv_lora_rank" in known:  # latent attention has no groups
        values["num_key_value_heads"] = 4
    values |= SPECIAL.get(config_class.model_type, {})
    for name in config_class.sub_configs:
        part = getattr(default, name, None)
        if isinstance(part, PreTrainedConfig):
            values[name] = tiny_config(type(part)).to_dict()
    return config_class(**values)
