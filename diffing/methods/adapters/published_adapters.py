"""Loads published adapters: reads the trained branches, and only these, from the files of a whole model.

The layout is that of the author of arXiv 2602.20904. It is recognised by the keys of the weights, never by a name.
"""

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from diffing.errors import HubError, ModelError
from diffing.methods.adapters.branches import AdapterBranch, AdapterBranches, keys_of_block
from diffing.methods.adapters.tensor_files import ByteRanges, StoredTensor, header_of, read_tensor

if TYPE_CHECKING:
    from torch import Tensor

_CONFIG, _INDEX, _WEIGHTS = "config.json", "model.safetensors.index.json", "model.safetensors"
_MOST_JSON = 20_000_000
_MOST_FILES = 1_000
_KEY = re.compile(r"model\.layers\.(\d{1,4})\.mlp\.transcoder_(enc|dec)\.(weight|bias)")


def read_published(files: ByteRanges, blocks: int, width: int) -> AdapterBranches:
    """Reads the branches of published adapters.

    Args:
        files: The files.
        blocks: The number of blocks of the run's models.
        width: The width of the run's models.

    Raises:
        ModelError: The files hold no adapters, or adapters of models of another shape.
        HubError: The Hub refuses or cannot be reached.
    """
    config = _object(files, _CONFIG)
    stored = _stored(files)
    if not stored:
        raise ModelError(
            f"{files.name} holds no adapters: expected weights such as {keys_of_block(0)[0]}. Name another repository"
        )
    features = config.get("transcoder_n_features")
    found = 1 + max(int(key.split(".")[2]) for key in stored)
    expected = _shapes(features, width)
    wrong = [key for i in range(max(found, blocks)) for key in _wrong(i, blocks, stored, expected, config)]
    if wrong:
        key = wrong[0]
        shape = "x".join(map(str, stored[key].shape)) if key in stored else "missing"
        raise ModelError(
            f"{files.name} was made for other models: its {key} is {shape}, but the run's models have {blocks} blocks "
            f"of width {width}. Compare the models that it was made for"
        )
    return AdapterBranches(tuple(_branch(files, i, width, stored) for i in range(blocks)))


def _shapes(features: object, width: int) -> tuple[tuple[object, ...], ...]:
    """The expected shapes of one block's weights, in the order of `keys_of_block`."""
    return (features, width), (features,), (width, features), (width,)


def _wrong(
    block: int,
    blocks: int,
    stored: Mapping[str, StoredTensor],
    expected: tuple[tuple[object, ...], ...],
    config: Mapping[str, Any],
) -> list[str]:
    """The keys of one block that are missing, have another shape, or belong to a block that the models lack."""
    keys = list(zip(keys_of_block(block), expected, strict=True))
    if not config.get("transcoder_dec_bias", True):
        keys.pop()
    return [key for key, shape in keys if block >= blocks or key not in stored or stored[key].shape != shape]


def _branch(files: ByteRanges, block: int, width: int, stored: Mapping[str, StoredTensor]) -> AdapterBranch:
    import torch

    def tensor(key: str) -> "Tensor":
        return read_tensor(files, stored[key]) if key in stored else torch.zeros(width)

    return AdapterBranch(*map(tensor, keys_of_block(block)))


def _stored(files: ByteRanges) -> dict[str, StoredTensor]:
    """Where the weights of the branches stand."""
    try:
        index = _object(files, _INDEX).get("weight_map")
    except (ModelError, HubError):  # one file holds everything
        names = [_WEIGHTS]
    else:
        named = index if isinstance(index, dict) else {}
        names = sorted({str(file) for key, file in named.items() if _KEY.fullmatch(str(key))})[:_MOST_FILES]
    if any("/" in name or "\\" in name or not name.endswith(".safetensors") for name in names):
        raise ModelError(f"{files.name}: its {_INDEX} names files elsewhere; name another repository")
    headers = {key: one for name in names for key, one in header_of(files, name).items()}
    return {key: one for key, one in headers.items() if _KEY.fullmatch(key)}


def _object(files: ByteRanges, file: str) -> Mapping[str, Any]:
    content = files.read(file, 0, _MOST_JSON + 1)
    try:
        value = json.loads(content) if len(content) <= _MOST_JSON else None
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise ModelError(f"{files.name}: its {file} is no JSON object; get the file again")
    return value
