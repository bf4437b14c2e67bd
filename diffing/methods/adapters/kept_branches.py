"""Saves trained and downloaded adapters as published adapters are stored, and loads them again."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diffing.atomic_write import write_atomically
from diffing.errors import ModelError
from diffing.methods.adapters.branches import AdapterBranches
from diffing.methods.adapters.published_adapters import read_published
from diffing.methods.adapters.tensor_files import FolderRanges
from diffing.methods.inside.kept_dictionaries import TRAINING, described, dictionary_folder, remove_oldest

_HASH_CHARACTERS = 12


def hash_of(branches: AdapterBranches) -> str:
    """The first characters of a hash of all weights of the branches."""
    digest = hashlib.sha256()
    for tensor in branches.tensors():
        digest.update(tensor.detach().cpu().numpy().tobytes())
    return digest.hexdigest()[:_HASH_CHARACTERS]


def keep(branches: AdapterBranches, training: Path, identity: str, settings: Mapping[str, Any]) -> None:
    """Writes branches as published ones are.

    Args:
        branches: The branches.
        training: The folder of the training.
        identity: A hash of everything that decides the weights.
        settings: How they were trained.

    Raises:
        SettingError: The folder cannot be written.
    """
    from safetensors.torch import save

    folder = dictionary_folder(training)
    weights = {key: tensor.detach().cpu().contiguous() for key, tensor in branches.named()}
    config = {"transcoder_n_features": branches.features, "transcoder_dec_bias": True}
    told = {"identity": identity, "hash": hash_of(branches), "settings": settings}
    write_atomically(save(weights), folder / "model.safetensors", make_folder=True)
    write_atomically(json.dumps(config).encode(), folder / "config.json")
    write_atomically(json.dumps(told, indent=1).encode(), folder / TRAINING)  # written last: the others are complete
    remove_oldest(training.parent, training)


def kept(training: Path, identity: str, blocks: int, width: int) -> AdapterBranches | None:
    """Opens branches that are kept; None if there are none, or damaged ones.

    Args:
        training: The folder of the training.
        identity: A hash of everything that decides the weights.
        blocks: The number of blocks of the models.
        width: Their width.
    """
    folder = dictionary_folder(training)
    if (described(folder) or {}).get("identity") != identity:
        return None
    try:
        return read_published(FolderRanges(folder), blocks, width)
    except ModelError:
        return None
