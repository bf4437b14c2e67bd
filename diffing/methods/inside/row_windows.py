"""`RowWindow`: several texts that both models read in one go, with the token positions whose activations are used."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from diffing.methods.inside.aligned_text import AlignedText
from diffing.methods.inside.pair_reading import InsidePair
from diffing.methods.inside.texts import SplitText

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class RowWindow:
    """Texts that are read at once."""

    texts: list[AlignedText]
    """The texts."""
    used: "NDArray[np.bool_]"
    """For each of their rows, whether it is used."""
    first: int
    """The number of rows of the stream before those of this window."""
    rows: int
    """The number of rows that are used."""


@dataclass(frozen=True, slots=True, eq=False)
class ReadWindow:
    """The rows of a window that are used."""

    window: RowWindow
    """The window."""
    a: "Tensor"
    """Model A's residual stream; rows x width of A."""
    b: "Tensor"
    """Model B's residual stream; rows x width of B."""
    usable: "Tensor"
    """For each row, whether it is no attention sink."""


def row_windows(texts: Iterable[SplitText], most: int, *, held: bool) -> Iterator[RowWindow]:
    """Groups texts, in order, into windows.

    Args:
        texts: The texts.
        most: The number of tokens of both models together after which a window is full.
        held: Whether the rows that are held back are used, or those to train on.
    """
    first = 0
    group: list[SplitText] = []
    for text in texts:
        group.append(text)
        if sum(each.text.tokens for each in group) >= most:
            window = _window(group, first, held)
            yield window
            first += window.rows
            group = []
    if group:
        yield _window(group, first, held)


def read_windows(pair: InsidePair, windows: Iterable[RowWindow], shard_rows: int | None = None) -> Iterator[ReadWindow]:
    """Reads windows with both models, in order; see `TwoReaders.read`."""
    import torch

    waiting: deque[RowWindow] = deque()

    def texts() -> Iterator[list[AlignedText]]:
        for window in windows:
            waiting.append(window)
            yield window.texts

    for rows in pair.rows(texts(), shard_rows):
        window = waiting.popleft()
        used = torch.from_numpy(window.used)
        a, b = (torch.cat([each[place] for each in rows])[used] for place in (0, 1))
        yield ReadWindow(window, a, b, pair.usable(a, b))


def _window(group: list[SplitText], first: int, held: bool) -> RowWindow:
    import numpy as np

    kept = np.concatenate([each.held for each in group])
    used = kept if held else ~kept
    return RowWindow([each.text for each in group], used, first, int(used.sum()))
