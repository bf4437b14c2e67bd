"""Reads crosscoders in two further file layouts: Kissane and Nanda's, and DFC (arXiv 2606.26474), which adds masks.

In a DFC the mask takes the decoder's directions alone: latents that write one model only may read both.
"""

import re
from collections.abc import Mapping
from typing import Any

import torch  # noqa: TID253 - only reading a dictionary imports this module

from diffing.errors import ModelError
from diffing.methods.crosscoder.published.active_latents import AboveThreshold, LargestPerRow, LatentSelection
from diffing.methods.crosscoder.published.contents import PublishedContents
from diffing.methods.crosscoder.published.layout import PublishedWeights, check_shapes, name_of, shape_of
from diffing.methods.crosscoder.sparse_dictionary import DictionaryWeights

_KEYS = {"W_enc", "b_enc", "W_dec", "b_dec"}
_MASKS = {"enc_mask", "dec_mask"}
_HOOK = re.compile(r"blocks\.(\d{1,4})\.hook_resid_(pre|post)")


def recognises(keys: set[str]) -> bool:
    """Whether weights have one of these layouts."""
    return keys >= _KEYS


def read(contents: PublishedContents) -> PublishedWeights:
    """Reads a crosscoder of these layouts.

    Raises:
        ModelError: Its tensors do not fit together, or its configuration lacks a number.
    """
    name, tensors, config = contents.name, contents.tensors, contents.config()
    models, width, latents = shape_of(name, tensors, "W_enc")
    if models != 2:
        raise ModelError(f"{name} reads {models} activations, expected those of 2 models. Use another crosscoder")
    shapes = {
        "W_enc": (2, width, latents),
        "b_enc": (latents,),
        "W_dec": (latents, 2, width),
        "b_dec": (2, width),
    }
    masked = tensors.keys() >= _MASKS
    masks = {"enc_mask": (2, latents), "dec_mask": (latents, 2)}
    check_shapes(name, tensors, {**shapes, **masks} if masked else shapes)
    encoder, decoder, bias = (tensors[key].float() for key in ("W_enc", "W_dec", "b_dec"))
    if masked:
        decoder = decoder * tensors["dec_mask"].float()[:, :, None]
    return PublishedWeights(
        name=name,
        identity=contents.identity,
        weights=DictionaryWeights(
            encoders=tuple(part.T.contiguous() for part in encoder),
            bias=tensors["b_enc"].float(),
            decoders=(decoder[:, 0].contiguous(), decoder[:, 1].contiguous()),
            output_biases=tuple(bias),
        ),
        selection=_selection(name, config, latents, masked=masked),
        normaliser="standard score" if masked else "mean norm",
        models=_models(config),
        mentioned=name_of(config.get("model_name")),
        blocks=_blocks(config),
    )


def _selection(name: str, config: Mapping[str, Any], latents: int, *, masked: bool) -> LatentSelection:
    if not masked:
        return AboveThreshold(torch.ones(latents), 0.0)
    k = config.get("k")
    if not isinstance(k, int) or not 0 < k <= latents:
        raise ModelError(f"{name}: its config.json has no k between 1 and {latents:,}. Use another crosscoder")
    return LargestPerRow(k)


def _models(config: Mapping[str, Any]) -> tuple[str, str] | None:
    a, b = name_of(config.get("model_name_A")), name_of(config.get("model_name_B"))
    return (a, b) if a and b else None


def _blocks(config: Mapping[str, Any]) -> tuple[int, int] | None:
    """The block before whose output the hook stands: `blocks.14.hook_resid_pre` is what leaves the 14th."""
    hook = _HOOK.fullmatch(str(config.get("hook_point"))[:100])
    if not hook:
        return None
    block = int(hook[1]) + (hook[2] == "post")
    return (block, block) if block else None
