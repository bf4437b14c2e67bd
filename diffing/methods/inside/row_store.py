"""`RowStore`: keeps activations of responses on disk, if two models do not fit into memory at once.

Responses are read again to show where a feature is active; without a store both models would be loaded anew each time.
"""

import shutil
import tempfile
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from diffing.methods.exchanges import Exchange

if TYPE_CHECKING:
    from torch import Tensor

_ROOM = 1 << 30
"""The number of bytes that stay free on the disk."""


class RowStore:
    """Rows of both models by exchange, in a temporary folder."""

    def __init__(self) -> None:
        self._files: dict[Exchange, Path] = {}

    @cached_property
    def _folder(self) -> tempfile.TemporaryDirectory[str]:
        return tempfile.TemporaryDirectory(prefix="diffing-read-")

    def __contains__(self, exchange: Exchange) -> bool:
        return exchange in self._files

    def get(self, exchange: Exchange) -> "tuple[Tensor, Tensor]":
        """Returns the rows of A and of B, exactly as they were put."""
        from safetensors.torch import load_file

        rows = load_file(self._files[exchange])
        return rows["a"], rows["b"]

    def put(self, exchange: Exchange, a: "Tensor", b: "Tensor") -> None:
        """Keeps the rows of an exchange, unless the disk is nearly full."""
        from safetensors.torch import save_file

        if exchange in self or shutil.disk_usage(self._folder.name).free < a.nbytes + b.nbytes + _ROOM:
            return
        file = Path(self._folder.name) / f"{len(self._files)}.safetensors"
        save_file({"a": a.contiguous(), "b": b.contiguous()}, file)
        self._files[exchange] = file

    def close(self) -> None:
        """Removes the folder."""
        if self._files:
            self._files.clear()
            self._folder.cleanup()
