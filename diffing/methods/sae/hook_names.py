"""Finds the module of a transformers model that a sae-lens hook name means, from the model's configuration alone.

sae-lens names hooks as TransformerLens does (`blocks.12.hook_resid_post`). Each family of readers has one row in
`FAMILIES` that says which of its modules these names mean; the paths start at the base model, which has no head.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from diffing.errors import ModelError, SettingError

if TYPE_CHECKING:
    from transformers import PretrainedConfig

At: TypeAlias = Literal["input", "output"]


@dataclass(frozen=True, slots=True)
class SaeHook:
    """The place in a reader model at which an SAE reads: the input or output of one module."""

    layers: int
    """The number of layers that the reader must keep to compute it."""
    module: str
    """The path of the module in the base model, such as `layers.12.mlp`."""
    at: At
    """Whether the SAE reads the input or the output of that module."""


@dataclass(frozen=True, slots=True)
class ModelFamily:
    """Module names in one family of models, relative to a layer; None means that the family has no such tensor."""

    layers: str
    """The module list that holds the layers."""
    attn_out: str | None
    """The module whose output attention adds to the residual stream."""
    mlp_out: str | None
    """The module whose output the MLP adds to the residual stream."""
    resid_mid: str | None
    """The module whose input is the residual stream between attention and MLP."""
    z: str | None
    """The module whose input is the concatenated output of the attention heads."""


_LLAMA = ModelFamily("layers", "self_attn", "mlp", "post_attention_layernorm", "self_attn.o_proj")
# Gemma 2 and 3 normalise the outputs of attention and MLP before they are added
_GEMMA2 = ModelFamily(
    "layers",
    "post_attention_layernorm",
    "post_feedforward_layernorm",
    "pre_feedforward_layernorm",
    "self_attn.o_proj",
)
_RESIDUAL_ONLY = ModelFamily("layers", None, None, None, None)

FAMILIES = {
    "llama": _LLAMA,
    "mistral": _LLAMA,
    "qwen2": _LLAMA,
    "qwen3": _LLAMA,
    "gemma": _LLAMA,
    "gemma2": _GEMMA2,
    "gemma3_text": _GEMMA2,
    "gpt2": ModelFamily("h", "attn", "mlp", "ln_2", "attn.c_proj"),
    "gpt_neox": ModelFamily(
        "layers", "attention", "mlp", None, "attention.dense"
    ),  # attention and MLP run side by side
    "qwen3_moe": _RESIDUAL_ONLY,
    "qwen3_5_text": _RESIDUAL_ONLY,
    "gpt_oss": _RESIDUAL_ONLY,
}
"""The families by the `model_type` in the text model's configuration."""

_BLOCK = re.compile(r"blocks\.(\d+)\.(hook_resid_(?:pre|mid|post)|hook_attn_out|hook_mlp_out|attn\.hook_z)")
_PLAIN = re.compile(
    r"(?:model\.|transformer\.|gpt_neox\.|language_model\.)*(\w+)\.(\d+)((?:\.\w+)*?)(?:\.(input|output))?"
)


def find_hook(name: str, config: "PretrainedConfig") -> SaeHook:
    """Finds the tensor that a hook's name means in a model.

    Args:
        name: `blocks.<layer>.<hook>` as in TransformerLens, `hook_embed`, or the path of a transformers module
            (`model.layers.12`, `model.layers.12.mlp.output`).
        config: The configuration of the text model, with all its layers.

    Raises:
        ModelError: The model's family is unknown, or it has no such tensor, or too few layers.
        SettingError: The name cannot be interpreted.
    """
    family = FAMILIES.get(config.model_type)
    if family is None:
        raise ModelError(
            f"The reader is of type {config.model_type}, which is not supported: expected one of "
            f"{', '.join(FAMILIES)}. "
            "Choose another SAE and its reader"
        )
    if name == "hook_embed":
        name = "blocks.0.hook_resid_pre"  # the same tensor if position embeddings are rotary
        if config.model_type == "gpt2":
            raise ModelError(
                "hook_embed cannot be read from a GPT-2: choose an SAE on hook_resid_pre or hook_resid_post"
            )
    block = _BLOCK.fullmatch(name)
    if block is not None:
        return _of_block(int(block[1]), block[2], family, config)
    plain = _PLAIN.fullmatch(name)
    if plain is not None and plain[1] == family.layers:
        layer = _checked(int(plain[2]), config)
        return SaeHook(layer + 1, f"{family.layers}.{layer}{plain[3]}", "input" if plain[4] == "input" else "output")
    raise SettingError(
        f"The SAE reads {name}, which cannot be found in a plain {config.model_type} model: expected "
        "a hook like blocks.12.hook_resid_post (hook_resid_pre, hook_resid_mid, hook_attn_out, hook_mlp_out, "
        "attn.hook_z). Choose another SAE"
    )


def _of_block(layer: int, hook: str, family: ModelFamily, config: "PretrainedConfig") -> SaeHook:
    if hook == "hook_resid_pre" and layer > 0:
        layer, hook = layer - 1, "hook_resid_post"  # one layer less to run
    _checked(layer, config)
    path = f"{family.layers}.{layer}"
    if hook == "hook_resid_pre":
        return SaeHook(1, path, "input")
    if hook == "hook_resid_post":
        return SaeHook(layer + 1, path, "output")
    if config.model_type == "gpt_neox" and not config.use_parallel_residual:
        family = ModelFamily(family.layers, family.attn_out, family.mlp_out, "post_attention_layernorm", family.z)
    places: dict[str, tuple[str | None, At]] = {
        "hook_resid_mid": (family.resid_mid, "input"),
        "hook_attn_out": (family.attn_out, "output"),
        "hook_mlp_out": (family.mlp_out, "output"),
        "attn.hook_z": (family.z, "input"),
    }
    module, at = places[hook]
    if module is None:
        raise ModelError(
            f"The SAE reads {hook}, which is not supported in a {config.model_type} model: "
            "choose an SAE on hook_resid_pre or hook_resid_post"
        )
    return SaeHook(layer + 1, f"{path}.{module}", at)


def _checked(layer: int, config: "PretrainedConfig") -> int:
    if layer >= config.num_hidden_layers:
        raise ModelError(
            f"The SAE reads layer {layer}, but the reader has {config.num_hidden_layers} layers: give the reader that "
            "the SAE was trained on"
        )
    return layer


def cut_config(config: "PretrainedConfig", layers: int) -> None:
    """Shortens a text model's configuration, in place, to its first layers."""
    config.num_hidden_layers = layers
    if getattr(config, "layer_types", None):
        config.layer_types = list(config.layer_types[:layers])
