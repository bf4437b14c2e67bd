"""Reads crosscoders in the file layouts, old and new, of the dictionary_learning library (arXiv 2504.02922)."""

from collections.abc import Mapping
from typing import Any

import torch  # noqa: TID253 - only reading a dictionary imports this module
from torch import Tensor  # noqa: TID253

from diffing.errors import ModelError
from diffing.methods.crosscoder.published.active_latents import AbovePerModel, AboveThreshold, LatentSelection
from diffing.methods.crosscoder.published.contents import PublishedContents
from diffing.methods.crosscoder.published.layout import PublishedWeights, check_shapes, name_of, shape_of
from diffing.methods.crosscoder.sparse_dictionary import DictionaryWeights, Normaliser

_SUM_OF_NORMS, _JOINT_NORM, _MIXED, _NONE, _PER_MODEL = range(1, 6)
"""The library's numbers for what weighs a code in the selection."""
_COMPILED = "_orig_mod."
"""What a compiled model writes before its keys."""


def recognises(keys: set[str]) -> bool:
    """Whether weights have this layout."""
    return {"encoder.weight", "encoder.bias", "decoder.weight", "decoder.bias"} <= _plain(keys)


def read(contents: PublishedContents) -> PublishedWeights:
    """Reads a crosscoder of this layout.

    Raises:
        ModelError: Its tensors do not fit together, or it has a feature that is not supported.
    """
    name = contents.name
    tensors = {key.removeprefix(_COMPILED): tensor for key, tensor in contents.tensors.items()}
    models, width, latents = shape_of(name, tensors, "encoder.weight")
    if models != 2:
        raise ModelError(f"{name} reads {models} activations, expected those of 2 models. Use another crosscoder")
    check_shapes(
        name,
        tensors,
        {
            "encoder.weight": (2, width, latents),
            "encoder.bias": (latents,),
            "decoder.weight": (2, latents, width),
            "decoder.bias": (2, width),
        },
    )
    encoder, decoder, bias = (tensors[f"{key}"].float() for key in ("encoder.weight", "decoder.weight", "decoder.bias"))
    trainer = contents.configs.get("trainer_config.json", {}).get("trainer")
    facts: Mapping[str, Any] = trainer if isinstance(trainer, dict) else {}
    layer, mentioned = facts.get("layer"), facts.get("lm_name")
    normaliser = _normaliser(name, tensors, width)
    return PublishedWeights(
        name=name,
        identity=contents.identity,
        weights=DictionaryWeights(
            encoders=tuple(part.T.contiguous() for part in encoder),
            bias=tensors["encoder.bias"].float(),
            decoders=tuple(part.contiguous() for part in decoder),
            output_biases=tuple(bias),
        ),
        selection=_selection(contents, tensors, decoder, centred=bool(normaliser.means[0].any())),
        normaliser=normaliser,
        # the library's training script joins both names, the second model's first, so their order tells nothing
        mentioned=name_of(mentioned),
        blocks=(layer + 1, layer + 1) if isinstance(layer, int) and 0 <= layer < 10_000 else None,
    )


def _plain(keys: set[str]) -> set[str]:
    return {key.removeprefix(_COMPILED) for key in keys}


def _selection(
    contents: PublishedContents, tensors: Mapping[str, Tensor], decoder: Tensor, *, centred: bool
) -> LatentSelection:
    name, latents = contents.name, decoder.shape[1]
    if "threshold" not in tensors:
        return AboveThreshold(torch.ones(latents), 0.0)
    kind = int(_number(name, tensors, "code_normalization_id")) if "code_normalization_id" in tensors else _SUM_OF_NORMS
    norms = decoder.norm(dim=2)
    if kind == _PER_MODEL:
        check_shapes(name, tensors, {"threshold": (2,)})
        if centred:
            # the library then normalises twice, which is hardly meant
            raise ModelError(
                f"{name} has codes per model and a normaliser, which is not supported. Use another crosscoder"
            )
        a, b = tensors["threshold"].double().tolist()
        return AbovePerModel(norms, (a, b))
    weighed = {
        _SUM_OF_NORMS: norms.sum(0),
        _JOINT_NORM: decoder.norm(dim=(0, 2)),
        _MIXED: _share(contents, "sae", 1.0) * decoder.norm(dim=(0, 2)) + _share(contents, "cc", 0.1) * norms.sum(0),
        _NONE: torch.ones(latents),
    }
    if kind not in weighed:
        raise ModelError(
            f"{name} has code_normalization_id {kind}, expected 1 to 5. Use another crosscoder, or a newer diffing"
        )
    return AboveThreshold(weighed[kind], _number(name, tensors, "threshold"))


def _share(contents: PublishedContents, part: str, default: float) -> float:
    value = contents.config().get(f"code_normalization_alpha_{part}", default)
    return float(value) if isinstance(value, int | float) else default


def _number(name: str, tensors: Mapping[str, Tensor], key: str) -> float:
    if tensors[key].numel() != 1:
        raise ModelError(f"{name}: its {key} has {tensors[key].numel()} numbers, expected 1. Use another crosscoder")
    value = float(tensors[key].double())
    if value != value:
        raise ModelError(f"{name}: its {key} is not a number. Use another crosscoder")
    return value


def _normaliser(name: str, tensors: Mapping[str, Tensor], width: int) -> Normaliser:
    """Reads the stored normaliser; files without one, or with NaN, were trained on raw activations."""
    mean, std = tensors.get("activation_mean"), tensors.get("activation_std")
    if mean is None or std is None or mean.isnan().any() or std.isnan().any():
        return Normaliser((torch.zeros(width), torch.zeros(width)), (1.0, 1.0))
    check_shapes(name, tensors, {"activation_mean": (2, width), "activation_std": (2, width)})
    if "activation_global_scale" in tensors:
        check_shapes(name, tensors, {"activation_global_scale": (2,)})
        scales = tensors["activation_global_scale"].double()
    else:
        target = _number(name, tensors, "target_rms") if "target_rms" in tensors else 1.0
        scales = target / (std.double().square().sum(1) + 1e-8).sqrt()
    a, b = scales.tolist()
    if not (a > 0 and b > 0):
        raise ModelError(f"{name}: its activation_global_scale is not above 0. Use another crosscoder")
    return Normaliser(tuple(mean.float()), (a, b))
