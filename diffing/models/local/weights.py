"""Checks that all weights of a loaded model came from its files, and that all weights in the files were used.

transformers fills missing weights with random numbers and ignores weights that it has no place for. Either way the
result would be a different model than the requested one.
"""

import logging
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from huggingface_hub import get_local_safetensors_metadata
from huggingface_hub.errors import NotASafetensorsRepoError
from huggingface_hub.utils import TensorInfo  # type: ignore[attr-defined] # exported lazily

from diffing.errors import ModelError

logger = logging.getLogger(__name__)

_NAMED = 3
"""The maximum number of weights that a message names."""
_HARMLESS = re.compile(
    r"(^|\.)("
    r"(original_)?inv_freq|position_ids|masked_bias"  # recomputed from the configuration
    r"|[qkv]_scale|kv_scale|prob_scale"  # scales of an 8-bit attention cache, which is not used here
    r")$"
    r"|^v_head\."  # the value head of reinforcement learning rates states and writes no text
)


def check_weights(name: str, folder: Path, kind: str, parameters: int, info: Mapping[str, Any]) -> None:
    """Refuses a model with missing or unused weights.

    Args:
        name: The model's name.
        folder: The folder of its files.
        kind: The name of the class that was loaded.
        parameters: The number of its named weights.
        info: What `from_pretrained` returns with `output_loading_info`: weights that are tied to one that was loaded
            are not among the missing ones, nor those that the architecture declares to be recomputed.

    Raises:
        ModelError: Weights are missing, have other shapes, or find no place.
    """
    unexpected = _unexplained(folder, info["unexpected_keys"])
    if missing := info["missing_keys"]:
        instead = f" (they hold {_list(unexpected)} instead)" if unexpected else ""
        raise ModelError(
            f"{name} lacks {len(missing)} of the {parameters} weights of a {kind}, which would be random: "
            f"{_list(missing)} {_are(missing)} not in its files{instead}; get its files again, or use another model."
        )
    if mismatched := info["mismatched_keys"]:
        key, stored, expected = min(mismatched)
        raise ModelError(
            f"{name}: its config.json and its weights are of two models: {key} has the shape {_shape(stored)}, "
            f"expected {_shape(expected)} ({len(mismatched)} of {parameters} weights differ); get its files again."
        )
    if errors := info.get("error_msgs"):
        raise ModelError(f"{name} cannot be loaded: {str(errors[0])[:300]}; get its files again.")
    if unexpected:
        raise ModelError(
            f"{name} has weights that a {kind} has no place for: {_list(unexpected)}; its config.json describes "
            "another model than its files hold. Get its files again, or use another model."
        )
    if ignored := info["unexpected_keys"]:
        logger.info("%s: %s write no text and were left out", name, _list(ignored))


def check_types(name: str, folder: Path, model: Any, unused: Collection[str]) -> None:  # noqa: ANN401 - untyped
    """Refuses integer weights, which are quantised and which transformers would use as ordinary weights.

    Args:
        name: The model's.
        folder: The folder of its files; pickled files do not tell the types.
        model: The loaded model.
        unused: The
            weights in the files that the model does not use.

    Raises:
        ModelError: There are integer weights.
    """
    quantizer = getattr(model, "hf_quantizer", None)
    if getattr(quantizer, "pre_quantized", False):
        return
    named = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    weights = {key for key, value in model.named_parameters() if quantizer is not None or value.is_floating_point()}
    places = {key for key, value in named.items() if key not in weights and not value.is_floating_point()}
    # in files, names of weights have other prefixes than in models, and joined weights are stored separately
    ends = {_end(key) for key in weights}
    found = [
        key
        for key, tensor in _tensors(folder).items()
        if tensor.dtype.startswith(("I", "U", "BOOL"))
        and _end(key) in ends
        and key not in unused
        and not _is_mask(tuple(tensor.shape))
        and not any(f".{key}".endswith(f".{place}") or f".{place}".endswith(f".{key}") for place in places)
    ]
    if found:
        raise ModelError(
            f"{name} stores {len(found)} of its weights as whole numbers ({_list(found)}), and its config.json has no "
            "quantization_config by which transformers could tell what they stand for: expected floating-point "
            "weights, or that entry; get its files again, or use another model."
        )


def _end(key: str) -> str:
    return key.rpartition(".")[2]


def _unexplained(folder: Path, keys: Collection[str]) -> list[str]:
    """The unexpected weights that could have changed the text."""
    left = [key for key in keys if not _HARMLESS.search(key)]
    stored = _tensors(folder) if left else {}
    return [key for key in left if key not in stored or not _is_mask(tuple(stored[key].shape))]


def _is_mask(shape: tuple[int, ...]) -> bool:
    """Whether a tensor is a causal mask, which old checkpoints (GPT-Neo, GPT-J) store per layer."""
    return len(shape) == 4 and shape[:2] == (1, 1) and shape[2] == shape[3]


def _tensors(folder: Path) -> dict[str, TensorInfo]:
    try:
        header = get_local_safetensors_metadata(folder)
    except NotASafetensorsRepoError:  # pickled weights have no headers that tell their types
        return {}
    return {key: tensor for file in header.files_metadata.values() for key, tensor in file.tensors.items()}


def _list(keys: Collection[str]) -> str:
    shown = [key[:100] for key in sorted(keys)[:_NAMED]]
    more = len(keys) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _are(keys: Collection[str]) -> str:
    return "is" if len(keys) == 1 else "are"


def _shape(shape: Collection[int]) -> str:
    return " x ".join(str(side) for side in shape) or "of a single number"
