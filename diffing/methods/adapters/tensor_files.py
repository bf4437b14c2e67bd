"""Reads single tensors of safetensors files, in a folder or on the Hub, without fetching the rest of a file.

Files come from strangers: sizes are checked before anything is read, and headers before they are believed.
"""

import json
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from huggingface_hub import get_session, hf_hub_url
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status  # type: ignore[attr-defined] # exported lazily

from diffing.errors import HubError, ModelError
from diffing.hub import TIMEOUT, BoundedApi, head_of, hub_api, hub_errors
from diffing.model_ref import parse_local_spec

if TYPE_CHECKING:
    from torch import Tensor

_MOST_HEADER = 100_000_000
_TYPES = {"F32": "float32", "BF16": "bfloat16", "F16": "float16"}


class ByteRanges(Protocol):
    """Files of which single parts can be read."""

    @property
    def name(self) -> str:
        """The files' name, for messages."""

    def read(self, file: str, first: int, last: int) -> bytes:
        """The bytes of a file from one position up to another one; fewer if the file ends before.

        Raises:
            HubError: The Hub refuses or cannot be reached.
            ModelError: There is no such file.
        """


def open_files(spec: str) -> ByteRanges:
    """Finds files by `org/name[@revision]` or the name of a folder.

    Raises:
        SettingError: The spec names nothing.
        HubError: A repository is missing, private or gated, or there is no network.
    """
    ref = parse_local_spec(spec)
    if ref.folder:
        return FolderRanges(ref.folder)
    api = hub_api()
    return HubRanges(api, ref.name, head_of(api, ref.name, revision=ref.revision))


@dataclass(frozen=True)
class FolderRanges:
    """Files in a folder on this machine."""

    path: Path
    """The folder."""

    @property
    def name(self) -> str:
        """The folder's own name, without its path."""
        return self.path.name

    def read(self, file: str, first: int, last: int) -> bytes:
        """See `ByteRanges.read`."""
        try:
            with (self.path / file).open("rb") as stream:
                stream.seek(first)
                return stream.read(last - first)
        except OSError as error:
            raise ModelError(f"{self.name}: its {file} cannot be read ({error.strerror}); get the file again") from None


@dataclass(frozen=True)
class HubRanges:
    """Files of one commit of a repository on the Hub."""

    api: BoundedApi
    """The client."""
    name: str
    """`org/name`."""
    commit: str
    """The commit."""

    def read(self, file: str, first: int, last: int) -> bytes:
        """See `ByteRanges.read`."""
        url = hf_hub_url(self.name, file, revision=self.commit, endpoint=self.api.endpoint)
        headers = {**build_hf_headers(token=self.api.token), "Range": f"bytes={first}-{last - 1}"}
        with hub_errors(self.name):
            with get_session().stream("GET", url, headers=headers, timeout=TIMEOUT, follow_redirects=True) as answer:
                hf_raise_for_status(answer)
                if answer.status_code != 206 and first > 0:
                    raise HubError(f"The Hub does not give parts of {file} of {self.name}: download it into a folder")
                return _up_to(answer.iter_bytes(), last - first)


def _up_to(parts: Any, most: int) -> bytes:  # noqa: ANN401 - an iterator of a client without types
    """The first bytes of an answer; what follows is not downloaded."""
    found = bytearray()
    for part in parts:
        found += part
        if len(found) >= most:
            break
    return bytes(found[:most])


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """Where a tensor stands in a file."""

    file: str
    """The file."""
    kind: str
    """The data type, as safetensors names it."""
    shape: tuple[int, ...]
    """The shape."""
    first: int
    """The position of the first byte in the file."""
    last: int
    """The position after the last byte."""


def header_of(files: ByteRanges, file: str) -> dict[str, StoredTensor]:
    """Reads where the tensors of a safetensors file stand.

    Raises:
        ModelError: The file is no safetensors file.
        HubError: The Hub refuses or cannot be reached.
    """
    damaged = ModelError(f"{files.name}: its {file} is no safetensors file; get the file again")
    length = int.from_bytes(files.read(file, 0, 8), "little")
    if not 2 <= length <= _MOST_HEADER:
        raise damaged
    try:
        header = json.loads(files.read(file, 8, 8 + length))
        header.pop("__metadata__", None)
        found = {str(key): _stored(file, 8 + length, value) for key, value in header.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise damaged from None
    return found


def _stored(file: str, start: int, entry: dict[str, Any]) -> StoredTensor:
    first, last = (int(offset) for offset in entry["data_offsets"])
    return StoredTensor(
        file, str(entry["dtype"]), tuple(int(size) for size in entry["shape"]), start + first, start + last
    )


def read_tensor(files: ByteRanges, stored: StoredTensor) -> "Tensor":
    """Reads one tensor as float32.

    Raises:
        ModelError: It has a type that is not read, or the file ends before it does.
        HubError: The Hub refuses or cannot be reached.
    """
    import torch

    if stored.kind not in _TYPES:
        raise ModelError(f"{files.name}: its weights are {stored.kind:.20}, expected one of {', '.join(_TYPES)}")
    dtype = getattr(torch, _TYPES[stored.kind])
    expected = prod(stored.shape) * dtype.itemsize
    content = files.read(stored.file, stored.first, stored.last) if stored.last - stored.first == expected else b""
    if len(content) != expected or min(stored.shape, default=1) < 1:
        raise ModelError(f"{files.name}: its {stored.file} ends too early; get the file again")
    return torch.frombuffer(bytearray(content), dtype=dtype).reshape(stored.shape).float()
