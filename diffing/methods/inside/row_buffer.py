"""`RowBuffer`: holds activations that are shuffled for training; `state_at` restores it for a resumed training."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from diffing.methods.inside.row_windows import ReadWindow, RowWindow
from diffing.methods.inside.slots import BufferSlots

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor


class RowBuffer:
    """Rows of both models in bfloat16, by slot."""

    def __init__(self, capacity: int, widths: tuple[int, int]) -> None:
        """Reserves the memory.

        Args:
            capacity: The number of slots.
            widths: The widths of the rows of A and of B.
        """
        import torch

        self._a, self._b = (torch.empty(capacity, width, dtype=torch.bfloat16) for width in widths)
        self._usable = torch.zeros(capacity, dtype=torch.bool)

    def put(self, slots: "NDArray[np.int64]", read: ReadWindow, rows: "NDArray[np.int64]") -> None:
        """Puts some rows of a window into slots."""
        import torch

        places, chosen = torch.from_numpy(slots), torch.from_numpy(rows)
        self._a[places] = read.a[chosen].bfloat16()
        self._b[places] = read.b[chosen].bfloat16()
        self._usable[places] = read.usable[chosen]

    def usable(self, slots: "NDArray[np.int64]") -> "NDArray[np.bool_]":
        """Which slots hold rows that are no attention sinks."""
        usable: NDArray[np.bool_] = self._usable.numpy()[slots]
        return usable

    def take(self, slots: "NDArray[np.int64]") -> "tuple[Tensor, Tensor]":
        """Copies rows out of slots, in float32."""
        import torch

        places = torch.from_numpy(slots)
        return self._a[places].float(), self._b[places].float()


@dataclass(slots=True, eq=False)
class BufferState:
    """What is in a buffer after a number of rows left it, and what comes next."""

    slots: BufferSlots
    """The bookkeeping of the buffer."""
    leaving: "NDArray[np.int64]"
    """The slots whose rows leave next."""
    rows: "NDArray[np.int64]"
    """For each slot the number of its row in the stream; -1 if it holds none that is still needed."""
    windows: list[RowWindow]
    """The windows of these rows, in the order of the stream; the last one may be used in part only."""
    filled: int
    """The number of rows of the stream that were put into the buffer so far."""


def state_at(windows: Iterator[RowWindow], capacity: int, seed: int, place: int) -> BufferState:
    """Finds the state of the buffer after `place` rows left it, without any activations.

    Args:
        windows: The windows of the stream from its beginning; those that were not used stay in the iterator.
        capacity: The number of slots.
        seed: The seed of the order.
        place: The number of rows that left the buffer.
    """
    import numpy as np

    slots = BufferSlots(capacity, seed)
    held = np.full(capacity, -1)
    alive: list[RowWindow] = []
    left = filled = 0
    if place == 0:
        return BufferState(slots, np.empty(0, dtype=np.int64), held, [], 0)
    for window in windows:
        alive.append(window)
        last = window.first + window.rows
        while filled < last:
            placed = slots.place(min(slots.room, last - filled))
            held[placed] = np.arange(filled, filled + len(placed))
            filled += len(placed)
            if slots.room:
                continue
            leaving = slots.draw()
            if left + len(leaving) > place:
                leaving = leaving[place - left :]
                return _state(slots, leaving, held, alive, filled)
            left += len(leaving)
            alive = _needed(alive, held[slots.taken])
            alive = [*alive, *([] if window in alive else [window])]
    raise ValueError(f"expected a place in the stream, got {place}")


def _state(
    slots: BufferSlots, leaving: "NDArray[np.int64]", held: "NDArray[np.int64]", alive: list[RowWindow], filled: int
) -> BufferState:
    import numpy as np

    needed = np.concatenate([slots.taken, leaving])
    rows = np.full(len(held), -1)
    rows[needed] = held[needed]
    last = alive[-1]
    windows = _needed(alive, rows[needed])
    if last not in windows and filled < last.first + last.rows:
        windows.append(last)
    return BufferState(slots, leaving, rows, windows, filled)


def _needed(windows: list[RowWindow], rows: "NDArray[np.int64]") -> list[RowWindow]:
    """The windows that hold any of the rows."""
    import numpy as np

    ordered = np.sort(rows)
    starts = np.searchsorted(ordered, [window.first for window in windows])
    ends = np.searchsorted(ordered, [window.first + window.rows for window in windows])
    return [window for window, start, end in zip(windows, starts, ends, strict=True) if end > start]
