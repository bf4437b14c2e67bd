"""Reads texts with two models: side by side if both fit into memory, otherwise one after the other through files."""

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from diffing.errors import ModelError
from diffing.methods.inside.aligned_text import AlignedText
from diffing.methods.inside.side_models import SideModel
from diffing.models.local.memory import gigabytes, this_machine

if TYPE_CHECKING:
    from torch import Tensor

SHARD_ROWS = 1 << 20
"""The number of rows that one model writes to disk before the other model reads the same texts."""

Window: TypeAlias = Sequence[AlignedText]


class TwoReaders:
    """Two models that read the same texts."""

    def __init__(self, a: SideModel, b: SideModel, *, reserve_bytes: int = 0, shard_rows: int = SHARD_ROWS) -> None:
        """Takes two sides, whose weights are loaded when the first text is read.

        Args:
            a: Side A.
            b: Side B.
            reserve_bytes: Memory that must stay free beside both.
            shard_rows: The number of rows that are written to disk at a time if only one model fits.
        """
        self._sides = (a, b)
        self._reserve_bytes = reserve_bytes
        self._shard_rows = shard_rows

    @cached_property
    def side_by_side(self) -> bool:
        """Whether both models fit into memory at once, found by loading them."""
        # unloads the other model if it does not fit beside it
        on_cpu = [side.reader().device.type == "cpu" for side in self._sides]
        machine = this_machine()
        free = machine.ram if all(on_cpu) else machine.gpu
        return free >= self._reserve_bytes and all(side.in_memory for side in self._sides)

    def read(self, windows: Iterable[Window], shard_rows: int | None = None) -> "Iterator[list[tuple[Tensor, Tensor]]]":
        """Reads windows of texts, in order.

        Args:
            windows: The texts.
            shard_rows: A smaller number of rows to read ahead if only one model fits at a time.

        Yields:
            For each window, for each of its texts the residual streams of A and of B at the aligned positions, in the
            types in which the models compute, on the CPU.

        Raises:
            HubError: Weights cannot be downloaded.
            ModelError: Weights cannot be loaded, or there is too little memory or disk space.
        """
        if self.side_by_side:
            for window in windows:
                yield list(zip(_read(self._sides[0], 0, window), _read(self._sides[1], 1, window), strict=True))
            return
        first, second = 1, 0  # B was loaded last
        for shard in _shards(windows, min(shard_rows or self._shard_rows, self._shard_rows)):
            yield from self._read_shard(shard, first, second)
            first, second = second, first

    def _read_shard(self, shard: Sequence[Window], first: int, second: int) -> "Iterator[list[tuple[Tensor, Tensor]]]":
        """Reads a shard with one model into files, then with the other beside these files, which are removed."""
        from safetensors.torch import load_file, save_file

        with tempfile.TemporaryDirectory(prefix="diffing-rows-") as folder:
            self._check_room(shard, first, folder)
            self._sides[second].close()
            for number, window in enumerate(shard):
                rows = _read(self._sides[first], first, window)
                save_file({str(place): each for place, each in enumerate(rows)}, _file(folder, number))
            self._sides[first].close()
            for number, window in enumerate(shard):
                stored = load_file(_file(folder, number))
                _file(folder, number).unlink()
                both = {first: [stored[str(place)] for place in range(len(window))]}
                both[second] = _read(self._sides[second], second, window)
                yield list(zip(both[0], both[1], strict=True))

    def _check_room(self, shard: Sequence[Window], first: int, folder: str) -> None:
        rows = sum(len(text.ends) for text in chain.from_iterable(shard))
        needed, free = 4 * rows * self._sides[first].shape.width, shutil.disk_usage(folder).free
        if needed > free:
            raise ModelError(
                "The two models do not fit into memory at once, so activations are written to disk: this needs "
                f"{gigabytes(needed)} in {Path(folder).parent}, {gigabytes(free)} are free. Point TMPDIR to a larger "
                "disk, or load the models in 4bit"
            )


def _read(side: SideModel, place: int, window: Window) -> "list[Tensor]":
    return side.reader().read([text.texts[place] for text in window], [text.indices[place] for text in window])


def _shards(windows: Iterable[Window], most: int) -> Iterator[list[Window]]:
    shard: list[Window] = []
    rows = 0
    for window in windows:
        shard.append(window)
        rows += sum(len(text.ends) for text in window)
        if rows >= most:
            yield shard
            shard, rows = [], 0
    if shard:
        yield shard


def _file(folder: str, number: int) -> Path:
    return Path(folder) / f"{number}.safetensors"
