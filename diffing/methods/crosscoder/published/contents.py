"""Reads the configurations and the weights of a published crosscoder; sizes are bounded before anything is parsed."""

import json
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch  # noqa: TID253 - only reading a dictionary imports this module
from torch import Tensor  # noqa: TID253

from diffing.errors import ModelError, SettingError
from diffing.methods.crosscoder.published.location import FolderContents

_CONFIGS = ("config.json", "cfg.json", "trainer_config.json")
_SAFE, _PICKLED = (".safetensors",), (".pt", ".pth", ".bin")
_MOST_CONFIG = 1 << 24
"""Larger configurations are not parsed (16 MB)."""
_MOST_WEIGHTS = 1 << 35
"""Larger files of weights are not opened (34 GB)."""


@dataclass(frozen=True, slots=True)
class PublishedContents:
    """What the files hold."""

    name: str
    """The files' name, for messages."""
    identity: str
    """The files' name with a commit."""
    configs: Mapping[str, Mapping[str, Any]]
    """The configurations that are there, by file name."""
    tensors: Mapping[str, Tensor]
    """The weights by key, in the data types of the file."""

    def config(self) -> Mapping[str, Any]:
        """The main configuration; empty if there is none."""
        return self.configs.get("config.json") or self.configs.get("cfg.json") or {}


def read_contents(files: FolderContents, *, allow_pickle: bool) -> PublishedContents:
    """Reads configurations and weights.

    Args:
        files: The files.
        allow_pickle: Whether pickles may be opened; even then only tensors are read from them.

    Raises:
        SettingError: The weights are a pickle, without consent; or not one file of weights is there.
        ModelError: A file is damaged or too large.
        HubError: The Hub refuses or cannot be reached.
    """
    sizes = files.sizes()
    weights = _weights_file(files.name, sizes, allow_pickle=allow_pickle)
    configs = {file: _config(files, file, sizes[file]) for file in _CONFIGS if file in sizes}
    if sizes[weights] > _MOST_WEIGHTS:
        raise ModelError(
            f"{files.name}: its {weights!r:.100} has {sizes[weights] / 1e9:,.0f} GB, expected at most "
            f"{_MOST_WEIGHTS / 1e9:,.0f} GB. Use another crosscoder"
        )
    path = files.fetch(weights)
    tensors = _safetensors(files.name, path) if weights.endswith(_SAFE) else _pickle(files.name, path)
    return PublishedContents(files.name, files.identity, configs, tensors)


def _weights_file(name: str, sizes: Mapping[str, int], *, allow_pickle: bool) -> str:
    """Chooses the file of weights: the only one, or the only one that is no pickle."""
    here = sorted(file for file in sizes if "/" not in file)
    safe, pickled = ([file for file in here if file.endswith(ends)] for ends in (_SAFE, _PICKLED))
    found = safe or pickled
    if len(found) == 1:
        if not safe and not allow_pickle:
            raise SettingError(
                f"{name}: its weights are a pickle ({found[0]!r:.100}), which can run code when it is opened "
                "carelessly. Allow it with --allow-pickle if you trust who published it; only tensors are read from it"
            )
        return found[0]
    below = sorted({file.rpartition("/")[0] for file in sizes if "/" in file and file.endswith((*_SAFE, *_PICKLED))})
    if below and not found:
        one = ascii(below[0])[1:-1]
        raise SettingError(
            f"{name} has its weights in folders: name one of them, such as {name}/{one:.100}, with --crosscoder"
        )
    raise SettingError(
        f"{name} has {len(found)} files of weights: expected one, as .safetensors or .pt. Name another crosscoder or "
        "a folder that has one"
    )


def _config(files: FolderContents, file: str, size: int) -> Mapping[str, Any]:
    value = None
    if size <= _MOST_CONFIG:
        try:
            value = json.loads(files.fetch(file).read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            pass
    if not isinstance(value, dict):
        raise ModelError(f"{files.name}: its {file} is no JSON object of at most 16 MB; get the file again")
    return value


def _safetensors(name: str, path: Path) -> Mapping[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        raise ModelError(f"{name}: its {path.name!r:.100} is damaged ({_line(error)}); get the file again") from None


def _pickle(name: str, path: Path) -> Mapping[str, Tensor]:
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, KeyError, EOFError, TypeError, pickle.UnpicklingError) as error:
        raise ModelError(
            f"{name}: its {path.name!r:.100} cannot be opened as tensors alone ({_line(error)}). Use another crosscoder"
        ) from None
    if not isinstance(loaded, dict):
        raise ModelError(f"{name}: its {path.name!r:.100} holds no tensors by key. Use another crosscoder")
    return {str(key): value for key, value in loaded.items() if isinstance(value, Tensor)}


def _line(error: Exception) -> str:
    """The first line of an error that quotes a stranger's file, shortened."""
    lines = str(error).split("\n")
    return ascii(lines[0] or type(error).__name__)[:100]
