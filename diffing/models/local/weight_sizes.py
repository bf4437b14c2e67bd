"""Determines the size of a model and its weight files from the headers of its safetensors files.

No weights are loaded. The files are untrusted, and any problem with them gives an error of one line.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import get_local_safetensors_metadata, parse_local_safetensors_file_metadata
from huggingface_hub.utils import SafetensorsFileMetadata  # type: ignore[attr-defined] # exported lazily

from diffing.errors import ModelError
from diffing.models.local.load_errors import one_line

ADAPTER_WEIGHTS = "adapter_model.safetensors"
INDEX = "model.safetensors.index.json"
_WHOLE = "model.safetensors"
_AGAIN = "get them again"
_POINTER = b"version https://git-lfs.github.com/spec/"
"""The beginning of the text that Git LFS puts in a file's place."""


@dataclass(frozen=True, slots=True)
class ModelSize:
    """The size of a model, known before its weights are loaded."""

    stored_as: Mapping[str, int]
    """The number of parameters by stored data type (`BF16`, `F32`, ...); empty for pickled weights, which have no
    headers."""
    stored_bytes: int
    """The size in bytes of all weight files."""
    missing_bytes: int
    """The size in bytes of the weight files that are not on this machine yet."""
    files: tuple[str, ...] = ()
    """The names of the weight files."""

    @property
    def parameters(self) -> int:
        """Number of parameters; 0 if unknown."""
        return sum(self.stored_as.values())

    def __add__(self, other: "ModelSize") -> "ModelSize":
        """The size of a base and its adapter together."""
        types = [*self.stored_as, *(t for t in other.stored_as if t not in self.stored_as)]
        return ModelSize(
            stored_as={t: self.stored_as.get(t, 0) + other.stored_as.get(t, 0) for t in types},
            stored_bytes=self.stored_bytes + other.stored_bytes,
            missing_bytes=self.missing_bytes + other.missing_bytes,
            files=(*self.files, *other.files),
        )


def check_fetched(name: str, *files: Path) -> None:
    """Refuses Git LFS pointer files, which a clone without Git LFS contains in place of the real files.

    Args:
        name: The name of the model or adapter, for messages.
        files: The files that will be read; paths that are no files are ignored.

    Raises:
        ModelError: A file is a Git LFS pointer.
    """
    for file in files:
        if not file.is_file():
            continue
        with one_line(f"{name}: its {file.name} cannot be read", "get it again"), file.open("rb") as stream:
            pointer = stream.read(len(_POINTER)) == _POINTER
        if pointer:
            raise ModelError(
                f"{name}: its {file.name} is a Git LFS pointer, which names a file without holding it; fetch the file "
                "itself (git lfs pull, or hf download)."
            )


def local_size(folder: Path, model: str) -> ModelSize | None:
    """The size of a model whose files are on this machine.

    Returns:
        None if there are no safetensors files, or not all that the index names.

    Raises:
        ModelError: They cannot be read, or one of them ends early.
    """
    if not (folder / _WHOLE).exists() and ((folder / INDEX).exists() and missing_shards(folder, model)):
        return None
    if not any((folder / name).exists() for name in (_WHOLE, INDEX)):
        return None
    whole = (folder / _WHOLE).exists()
    check_fetched(model, *(folder / name for name in ([_WHOLE] if whole else shards(folder, model))))
    with one_line(f"{model}: its safetensors files cannot be read", _AGAIN):
        header = get_local_safetensors_metadata(folder)
        for name, metadata in header.files_metadata.items():
            _check_length(folder / name, metadata)
        files = tuple(sorted(header.files_metadata))
        stored = sum((folder / file).stat().st_size for file in files)
        return ModelSize(dict(sorted(header.parameter_count.items())), stored, 0, files)


def shards(folder: Path, model: str) -> tuple[str, ...]:
    """The files that the index in a folder names, sorted; empty if there is no index.

    Raises:
        ModelError: The file is no index, or names a file outside the folder.
    """
    if not (folder / INDEX).exists():
        return ()
    check_fetched(model, folder / INDEX)
    with one_line(f"{model}: its {INDEX} cannot be read", "get it again"):
        index = json.loads((folder / INDEX).read_bytes())
    named = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(named, dict) or not named or not all(isinstance(name, str) for name in named.values()):
        raise ModelError(f"{model}: its {INDEX} names no files: expected a weight_map; get it again.")
    names = sorted(set(named.values()))
    for name in names:  # a file elsewhere would not be part of the model's identity
        if name in ("", ".", "..") or any(sign in name for sign in "/\\\0"):
            raise ModelError(f"{model}: its {INDEX} names {name[:100]!r}, expected files beside it; get it again.")
    return tuple(names)


def missing_shards(folder: Path, model: str) -> tuple[str, ...]:
    """The files that the index names but that are missing."""
    return tuple(name for name in shards(folder, model) if not (folder / name).is_file())


def shards_missing(model: str, missing: tuple[str, ...], of: int) -> ModelError:
    """An error that names missing files."""
    named = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
    return ModelError(
        f"{model} lacks {len(missing)} of its {of} weight files ({named}): its {INDEX} names them; get its files again."
    )


def adapter_size(folder: Path, adapter: str) -> ModelSize:
    """The size of an adapter whose files are on this machine.

    Raises:
        ModelError: There are none, or they cannot be read.
    """
    file = folder / ADAPTER_WEIGHTS
    if not file.is_file():
        raise no_adapter_weights(adapter)
    check_fetched(f"The adapter {adapter}", file)
    with one_line(f"The adapter {adapter}: its {ADAPTER_WEIGHTS} cannot be read", "get it again"):
        metadata = parse_local_safetensors_file_metadata(file)
        _check_length(file, metadata)
        return ModelSize(dict(sorted(metadata.parameter_count.items())), file.stat().st_size, 0, (ADAPTER_WEIGHTS,))


def no_adapter_weights(adapter: str) -> ModelError:
    """An error for an adapter without weights."""
    return ModelError(
        f"{adapter} has no {ADAPTER_WEIGHTS}: expected an adapter saved as safetensors; save it again with PEFT."
    )


def pickled_size(model: str, files: Mapping[str, int], allowed: bool, *, missing: bool) -> ModelSize:
    """The size of a model whose weights are pickled.

    Args:
        model: The model's name.
        files: The sizes in bytes, by name, of the files that may hold the weights.
        allowed: Whether unpickling is allowed.
        missing: Whether the files are still on the Hub.

    Raises:
        ModelError: There are no weights, or unpickling is not allowed.
    """
    if not files:
        raise ModelError(
            f"{model} has no weights: expected model.safetensors or its shards; check that it is a complete model."
        )
    if not allowed:
        raise ModelError(
            f"{model} has only pickled weights ({min(files)}), which can run code when loaded; expected safetensors: "
            "use another revision, or allow pickle for this model if you trust it."
        )
    # training leaves other pickled files behind
    weights = {name: size for name, size in files.items() if name.startswith("pytorch_model")} or dict(files)
    stored = sum(weights.values())
    return ModelSize({}, stored, stored if missing else 0, tuple(sorted(weights)))


def _check_length(file: Path, metadata: SafetensorsFileMetadata) -> None:
    """Refuses a file that is shorter than its header says, for example after an interrupted download."""
    with file.open("rb") as stream:
        header = int.from_bytes(stream.read(8), "little")
    expected = 8 + header + max((tensor.data_offsets[1] for tensor in metadata.tensors.values()), default=0)
    got = file.stat().st_size
    if got < expected:
        raise ValueError(f"{file.name} has {got:,} of {expected:,} bytes")
