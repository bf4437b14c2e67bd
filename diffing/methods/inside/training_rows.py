"""`TrainingRows`, a stream of both models' activations in a seeded shuffled order, with memory that does not grow.

Texts are read in windows, in the order of `TrainingTexts`. Their rows go into a buffer in bfloat16; when it is full,
half of it leaves in a random order. To go on from a place, only the windows are read again whose rows are in the
buffer then; as windows do not depend on the place, the rows are the same, byte for byte.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

from diffing.errors import SettingError
from diffing.methods.inside.aligned_text import WINDOW_TOKENS
from diffing.methods.inside.corpus import Corpus
from diffing.methods.inside.pair_reading import InsidePair
from diffing.methods.inside.row_batches import RowBatch
from diffing.methods.inside.row_buffer import BufferState, RowBuffer, state_at
from diffing.methods.inside.row_windows import ReadWindow, read_windows, row_windows
from diffing.methods.inside.texts import TrainingTexts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

BUFFER_ROWS = 1 << 17
"""The number of rows among which the order is shuffled."""
RESPONSE_PASSES = 4
"""The largest number of times that the run's responses are read in one training."""


@dataclass(frozen=True, slots=True)
class StreamSizes:
    """Sizes that bound the memory of a stream and decide the order of its rows."""

    buffer_rows: int = BUFFER_ROWS
    """The number of rows among which the order is shuffled, unless one pass has fewer."""
    window_tokens: int = WINDOW_TOKENS
    """The number of tokens of both models together that are read at once."""


class TrainingRows:
    """The training rows of two models; a `RowStream`."""

    def __init__(
        self, pair: InsidePair, texts: TrainingTexts, wanted: int, *, seed: int = 0, sizes: StreamSizes | None = None
    ) -> None:
        """Takes a calibrated pair and the texts that it reads.

        Args:
            pair: The two models.
            texts: What they read.
            wanted: The number of rows that the training would like to have.
            seed: The seed of the order.
            sizes: How much is held in memory.
        """
        self._pair = pair
        self._texts = texts
        self._wanted = wanted
        self._seed = seed
        self._sizes = sizes or StreamSizes()

    @property
    def widths(self) -> tuple[int, int]:
        """The widths of the residual streams of A and of B."""
        return self._pair.widths

    @cached_property
    def identity(self) -> str:
        """A hash of everything that affects the rows: models, layers, texts and settings."""
        sizes = [self._sizes.buffer_rows, self._sizes.window_tokens]
        parts = [self._pair.identity, self._texts.identity, self._seed, self._wanted, sizes]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    @cached_property
    def total(self) -> int:
        """The number of training rows of one pass, counted with the tokenizers alone; attention sinks are among them.

        A corpus on the Hub, which is not read twice, is assumed to have as many rows as are wanted.

        Raises:
            SettingError: No text can be read by both models.
        """
        total = self._response_rows + sum(self._corpus_rows)
        if not total:
            raise SettingError(
                "None of the texts can be read by both models, so nothing can be trained on them: give more prompts "
                "or another --corpus"
            )
        return total

    @cached_property
    def rows(self) -> int:
        """The number of rows to train on: what is wanted, but at most 4 passes over the responses, 1 over corpora."""
        return min(self._wanted, RESPONSE_PASSES * self._response_rows + sum(self._corpus_rows))

    def batches(self, rows: int, start: int = 0) -> Iterator[RowBatch]:
        """Yields the training rows pass after pass, without end, each batch with exactly `rows` rows.

        Args:
            rows: The number of rows per batch.
            start: The place of an earlier batch, after which to go on; the batches are the same, byte for byte, as
                those that follow it in an uninterrupted stream.
        """
        batch = _UnfinishedBatch(rows, start)
        buffer = RowBuffer(self._capacity, self.widths)
        for leaving in self._leaving(buffer, start):
            yield from batch.add(buffer, leaving)

    def held_back(self, rows: int) -> Iterator[RowBatch]:
        """Yields the rows that are never trained on (5%) once, in batches of at most `rows` rows."""
        texts = self._texts.once(self._pair.align, held=True)
        place = 0
        for read in read_windows(self._pair, row_windows(texts, self._sizes.window_tokens, held=True)):
            a, b = read.a[read.usable].float(), read.b[read.usable].float()
            for first in range(0, len(a), rows):
                part_a, part_b = a[first : first + rows], b[first : first + rows]
                place += len(part_a)
                yield RowBatch(part_a, part_b, place)

    @cached_property
    def _response_rows(self) -> int:
        texts = TrainingTexts(self._texts.exchanges, seed=self._texts.seed)
        return sum(text.trained for text in texts.once(self._pair.align, held=False))

    @cached_property
    def _corpus_rows(self) -> list[int]:
        return [self._rows_of(corpus) for corpus in self._texts.corpora]

    def _rows_of(self, corpus: Corpus) -> int:
        if not corpus.local:
            return self._wanted
        found = 0
        for text in TrainingTexts((), (corpus,), seed=self._texts.seed).once(self._pair.align, held=False):
            found += text.trained
            if found >= self._wanted:
                break
        return found

    @property
    def _capacity(self) -> int:
        return max(min(self._sizes.buffer_rows, self.total), 2)

    def _response_share(self) -> float:
        """As the other sources, unless these have too few rows, or the responses would be read too often."""
        if not self._texts.corpora:
            return 1.0
        rows = max(self.rows, 1)
        even = 1 / (1 + len(self._texts.corpora))
        others = 1 - sum(self._corpus_rows) / rows
        return min(max(even, others), RESPONSE_PASSES * self._response_rows / rows)

    def _leaving(self, buffer: RowBuffer, start: int) -> "Iterator[NDArray[np.int64]]":
        """Yields the slots whose rows leave the buffer, from a place on; their rows must be used at once."""
        texts = self._texts.training(self._pair.align, self._response_share())
        windows = row_windows(texts, self._sizes.window_tokens, held=False)
        state = state_at(windows, self._capacity, self._seed, start)
        # the stream has no end, so without this a shard might hold many passes over few texts
        read = read_windows(self._pair, chain(state.windows, windows), shard_rows=self.total)
        for _ in range(len(state.windows)):
            last = next(read)
            _restore(buffer, state, last)
        yield state.leaving
        if state.windows:
            yield from _fill(buffer, state, last)
        for window in read:
            yield from _fill(buffer, state, window)


def _restore(buffer: RowBuffer, state: BufferState, read: ReadWindow) -> None:
    """Puts the rows of a window that are in the buffer at a state into their slots."""
    first = read.window.first
    slots = ((state.rows >= first) & (state.rows < first + read.window.rows)).nonzero()[0]
    buffer.put(slots, read, state.rows[slots] - first)


def _fill(buffer: RowBuffer, state: BufferState, read: ReadWindow) -> "Iterator[NDArray[np.int64]]":
    """Puts the rows of a window that were not yet used into the buffer, half of which leaves whenever it is full."""
    import numpy as np

    first, last = read.window.first, read.window.first + read.window.rows
    while state.filled < last:
        slots = state.slots.place(min(state.slots.room, last - state.filled))
        begin = state.filled - first
        buffer.put(slots, read, np.arange(begin, begin + len(slots)))
        state.filled += len(slots)
        if not state.slots.room:
            yield state.slots.draw()


class _UnfinishedBatch:
    """Collects rows until a batch is full."""

    def __init__(self, rows: int, place: int) -> None:
        self._rows = rows
        self._place = place
        self._parts: list[tuple[Tensor, Tensor]] = []
        self._missing = rows

    def add(self, buffer: RowBuffer, leaving: "NDArray[np.int64]") -> Iterator[RowBatch]:
        """Takes the rows that leave the buffer and yields the batches that become full."""
        import torch

        usable = buffer.usable(leaving).nonzero()[0]
        done = 0
        while len(usable) - done >= self._missing:
            end = done + self._missing
            self._parts.append(buffer.take(leaving[usable[done:end]]))
            a, b = (torch.cat(each) for each in zip(*self._parts, strict=True))
            yield RowBatch(a, b, self._place + int(usable[end - 1]) + 1)
            self._parts, self._missing, done = [], self._rows, end
        if done < len(usable):
            self._parts.append(buffer.take(leaving[usable[done:]]))
            self._missing -= len(usable) - done
        self._place += len(leaving)
