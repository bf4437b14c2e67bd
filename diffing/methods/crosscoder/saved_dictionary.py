"""Saves sparse dictionaries in a folder as dictionary_learning does, and opens them again.

Two models of one width share tensors, as dictionary_learning (the papers' library) has them; with two widths every
name ends in `_a` or `_b`. A difference dictionary has one input, without that first dimension. The normaliser, the
partition, the threshold and the source are in `config.json`.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch  # noqa: TID253 - only training and reading a dictionary import this module
from torch import Tensor  # noqa: TID253

from diffing.atomic_write import write_atomically
from diffing.errors import SettingError
from diffing.methods.crosscoder.sparse_dictionary import DictionaryWeights, Normaliser, SparseDictionary
from diffing.methods.crosscoder.training_settings import DictionarySource

_CONFIG, _WEIGHTS = "config.json", "model.safetensors"
_SUM_OF_NORMS = 1
"""dictionary_learning's number for scores by the sum of both decoder norms."""
_HASH_CHARACTERS = 12
_LARGEST_CONFIG = 1 << 24
"""Larger configurations are not parsed (16 MB)."""


@dataclass(frozen=True, slots=True)
class DictionaryParts:
    """What a folder holds."""

    weights: DictionaryWeights
    """The weights, with as many inputs as were asked for."""
    normaliser: Normaliser
    """The normaliser of the inputs."""
    threshold: float
    """The threshold of the scores."""
    k: int
    """The mean number of active latents per row."""
    partition: tuple[int, int]
    """The sizes of A's and B's own parts; (0, 0) if there are none."""
    same_space: bool
    """Whether both models' directions can be compared."""
    source: DictionarySource | None
    """What it was trained on."""


def dictionary_hash(dictionary: SparseDictionary) -> str:
    """Returns the first characters of a hash of weights, normaliser and threshold."""
    digest = hashlib.sha256()
    for name, tensor in sorted(_tensors(dictionary).items()):
        digest.update(name.encode() + tensor.numpy().tobytes())
    for mean, scale in zip(dictionary.normaliser.means, dictionary.normaliser.scales, strict=True):
        factor = scale.tolist() if isinstance(scale, Tensor) else scale
        digest.update(mean.cpu().numpy().tobytes() + repr(factor).encode())
    return digest.hexdigest()[:_HASH_CHARACTERS]


def save_parts(
    dictionary: SparseDictionary, folder: Path, facts: Mapping[str, Any], source: DictionarySource | None
) -> None:
    """Writes a dictionary; facts are more entries of its configuration.

    Raises:
        SettingError: The folder cannot be written.
    """
    from safetensors.torch import save

    widths = [decoder.shape[1] for decoder in dictionary.weights.decoders]
    config = {
        "dict_class": "BatchTopKCrossCoder" if len(widths) == 2 else "BatchTopKSAE",
        "activation_dim": widths[0] if len(set(widths)) == 1 else widths,
        "dict_size": dictionary.latents,
        "num_layers": len(widths),
        "k": dictionary.k,
        "threshold": dictionary.threshold,
        **facts,
        "source": asdict(source) if source else None,
        "normaliser": {
            "means": [mean.tolist() for mean in dictionary.normaliser.means],
            "scales": list(dictionary.normaliser.scales),
        },
    }
    write_atomically(save(_tensors(dictionary)), folder / _WEIGHTS, make_folder=True)
    write_atomically(json.dumps(config, allow_nan=False).encode(), folder / _CONFIG)


def _tensors(dictionary: SparseDictionary) -> dict[str, Tensor]:
    """Names the tensors as they are stored, on the CPU."""
    weights = dictionary.weights
    parts = {
        "encoder.weight": [encoder.T for encoder in weights.encoders],
        "decoder.weight": list(weights.decoders),
        "decoder.bias": list(weights.output_biases),
    }
    named = {"encoder.bias": weights.bias, "k": torch.tensor(dictionary.k)}
    named["threshold"] = torch.tensor(dictionary.threshold, dtype=torch.float64)
    named["code_normalization_id"] = torch.tensor(_SUM_OF_NORMS)
    for name, tensors in parts.items():
        if len(tensors) == 1:
            named[name] = tensors[0]
        elif tensors[0].shape == tensors[1].shape:
            named[name] = torch.stack(tensors)
        else:
            named |= {f"{name}_{side}": tensor for side, tensor in zip("ab", tensors, strict=True)}
    return {name: tensor.detach().cpu().contiguous() for name, tensor in named.items()}


def load_parts(folder: Path, inputs: int) -> DictionaryParts:
    """Opens what `save_parts` wrote.

    Args:
        folder: The folder.
        inputs: 2 for a crosscoder, 1 for a difference dictionary.

    Raises:
        SettingError: The folder does not hold such a dictionary.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    expected = "crosscoder" if inputs == 2 else "difference dictionary"
    try:
        if (folder / _CONFIG).stat().st_size > _LARGEST_CONFIG:
            raise ValueError("its config.json is too large")
        config = json.loads((folder / _CONFIG).read_text("utf-8"))
        parts = parse_parts(config, load_file(folder / _WEIGHTS), inputs)
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SettingError(
            f"The folder {folder} holds no {expected} that can be opened ({str(error) or type(error).__name__:.100}): "
            f"expected {_CONFIG} and {_WEIGHTS} as this version saves them. Train it again"
        ) from None
    return parts


def parse_parts(config: Mapping[str, Any], tensors: Mapping[str, Tensor], inputs: int) -> DictionaryParts:
    """Parses the configuration and the tensors that `save_parts` wrote.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: They are something else, or do not fit together.
    """
    if int(config["num_layers"]) != inputs:
        raise ValueError(f"it has {int(config['num_layers'])} inputs instead of {inputs}")
    encoders, decoders, biases = (
        _inputs_of(tensors, name, inputs) for name in ("encoder.weight", "decoder.weight", "decoder.bias")
    )
    normaliser = config["normaliser"]
    means = tuple(torch.tensor(mean, dtype=torch.float32) for mean in normaliser["means"])
    a, b = config.get("partition", (0, 0))
    parts = DictionaryParts(
        weights=DictionaryWeights(
            encoders=tuple(encoder.T.contiguous() for encoder in encoders),
            bias=tensors["encoder.bias"].float(),
            decoders=decoders,
            output_biases=biases,
        ),
        normaliser=Normaliser(means, tuple(float(scale) for scale in normaliser["scales"])),
        threshold=float(config["threshold"]),
        k=int(config["k"]),
        partition=(int(a), int(b)),
        same_space=bool(config.get("same_space", True)),
        source=_source(config["source"]),
    )
    _check_shapes(parts)
    return parts


def _inputs_of(tensors: Mapping[str, Tensor], name: str, inputs: int) -> tuple[Tensor, ...]:
    if name not in tensors:
        return tuple(tensors[f"{name}_{side}"].float() for side in "ab")
    stored = tensors[name].float()
    return (stored,) if inputs == 1 else tuple(part.contiguous() for part in stored)


def _source(stored: Mapping[str, Any] | None) -> DictionarySource | None:
    if stored is None:
        return None
    (model_a, model_b), (commit_a, commit_b) = stored["models"], stored["commits"]
    layer_a, layer_b = stored["layers"]
    models, commits = (str(model_a), str(model_b)), (str(commit_a), str(commit_b))
    return DictionarySource(models, commits, (int(layer_a), int(layer_b)), str(stored["texts"]))


def _check_shapes(parts: DictionaryParts) -> None:
    """Raises ValueError unless all tensors fit together."""
    weights, latents = parts.weights, len(parts.weights.bias)
    widths = [len(mean) for mean in parts.normaliser.means]
    shapes = [(latents, width) for width in widths]
    for tensors in (weights.encoders, weights.decoders):
        if [tuple(tensor.shape) for tensor in tensors] != shapes:
            raise ValueError("its weights have unexpected shapes")
    if [tuple(bias.shape) for bias in weights.output_biases] != [(width,) for width in widths]:
        raise ValueError("its biases have unexpected shapes")
    if (
        not 0 <= sum(parts.partition) <= latents
        or min(parts.partition) < 0
        or len(parts.normaliser.scales) != len(widths)
    ):
        raise ValueError("its partition or its scales do not fit")
