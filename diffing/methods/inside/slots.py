"""`BufferSlots`: decides which places of a shuffled buffer of training data are emptied and refilled next.

The buffer is filled, half of it leaves in a random order, and it is filled again. Since the bookkeeping needs no
activations, the state of the buffer at any place of a stream can be found quickly, and only the rows that are in it
then have to be read anew.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class BufferSlots:
    """The slots of a buffer of rows."""

    def __init__(self, capacity: int, seed: int) -> None:
        """Takes an empty buffer.

        Args:
            capacity: The number of rows that it holds.
            seed: The seed of the order in which rows leave.
        """
        import numpy as np

        self._seed = seed
        self._draws = 0
        self._keep = capacity // 2
        self._free = np.arange(capacity)
        self._taken = np.empty(0, dtype=self._free.dtype)

    @property
    def room(self) -> int:
        """The number of rows that can be placed."""
        return len(self._free)

    @property
    def taken(self) -> "NDArray[np.int64]":
        """The slots that hold rows."""
        return self._taken

    def place(self, rows: int) -> "NDArray[np.int64]":
        """Returns the slots of the next rows, of which there must be at most `room`."""
        import numpy as np

        slots, self._free = self._free[:rows], self._free[rows:]
        self._taken = np.concatenate([self._taken, slots])
        return slots

    def draw(self) -> "NDArray[np.int64]":
        """Returns the slots of the half that leaves, in random order; their rows must be used before the next fill."""
        import numpy as np

        order = np.random.default_rng([self._seed, self._draws]).permutation(self._taken)
        self._draws += 1
        leaving, self._taken = order[self._keep :], order[: self._keep]
        self._free = np.concatenate([self._free, leaving])
        return leaving
