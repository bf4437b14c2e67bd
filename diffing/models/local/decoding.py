"""What all ways of generating text share: a batch's next tokens, and halving the batch if memory runs out.

A row consists only of its tokens. Its place in a batch and its keys and values are disposable: if memory runs out, the
batch is dropped, its rows go back to the queue with the tokens generated so far, and batches are half as large from
then on.

Rows are padded on the left, so that all end in the same column; positions are counted per row. In exact arithmetic a
row's logits do not depend on its neighbours; in floating point another batch shape can change their last bits (float32:
about 1e-6 relative; bfloat16: about 1e-2), so that two tokens which are that close to a tie may change places. In
float32 this is rare; in bfloat16 it happens. Where more than rounding differs (weights in 8 bits are multiplied in
another way for each batch), `batching_trial.py` finds it, and conversations go one at a time.

It does not know chats, texts or files, and none of a checkpoint's own generation settings but the tokens that stop it.
"""

import logging
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from diffing.errors import ModelError
from diffing.models.local.load_errors import is_out_of_memory
from diffing.types import Finish

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

logger = logging.getLogger(__name__)

PREFILL_TOKENS = 8192
"""Prompts are read in groups of at most this many tokens (padding included): reading takes the most memory per
token."""


@dataclass(slots=True)
class DecodingRow:
    """One conversation that is being answered."""

    index: int
    """The index of the conversation in the result."""
    prompt: list[int]
    """The token ids of the prompt."""
    limit: int
    """The maximum number of new tokens."""
    key: bytes
    """The key of the row's noise, from `noise_key`."""
    written: list[int] = field(default_factory=list)
    """The new tokens so far, including the one that stopped the row."""
    finish: Finish | None = None
    """Why the row ended; None while it is running."""
    detail: str | None = None
    """The reason, if the row failed."""

    @property
    def length(self) -> int:
        """The number of tokens so far."""
        return len(self.prompt) + len(self.written)

    @property
    def reach(self) -> int:
        """The maximum number of tokens that the row may reach."""
        return len(self.prompt) + self.limit


Choose: TypeAlias = Callable[["torch.Tensor", Sequence[DecodingRow]], list[int]]
"""`choose(logits, rows)`: one token per row from logits of shape (rows, vocabulary)."""


class UnusableLogitsError(Exception):
    """The logits of a row are unusable: NaN, infinite, or minus infinity for every token."""

    def __init__(self, index: int) -> None:
        super().__init__(f"unusable logits in row {index}")
        self.index = index
        """The row's place in the result."""


@dataclass(frozen=True, slots=True)
class DecodingJob:
    """The parameters that all rows of one call share."""

    choose: Choose
    """Chooses the next token of each row."""
    stop_ids: frozenset[int]
    """The tokens that end a row."""
    ends: Callable[[Sequence[int]], bool]
    """Tells whether the text so far ends the row without such a token."""
    max_rows: int
    """The maximum number of rows that run at the same time."""
    max_tokens: int
    """The maximum of rows times the length that they may reach; a single row is always allowed."""
    on_finish: Callable[[DecodingRow], None]
    """Called as each row finishes."""
    on_tokens: Callable[[int], None]
    """Called with the number of tokens generated in each step."""

    def take(self, rows: Sequence[DecodingRow], logits: "torch.Tensor") -> list[int]:
        """Appends the next token to each running row, and returns which rows have finished.

        Args:
            rows: The rows of the batch.
            logits: Shape (rows, vocabulary).

        Returns:
            One token per row; the token of a finished row has no meaning.

        Raises:
            UnusableLogitsError: The logits are NaN or infinite.
        """
        check_logits(logits, rows)
        tokens = self.choose(logits, rows)
        live = [(row, token) for row, token in zip(rows, tokens, strict=True) if row.finish is None]
        for row, token in live:
            row.written.append(token)
            if token in self.stop_ids or self.ends(row.written):
                row.finish = "stop"
            elif len(row.written) >= row.limit:
                row.finish = "length"
        self.on_tokens(len(live))
        for row, _ in live:
            if row.finish is not None:
                self.on_finish(row)
        return tokens


def check_logits(logits: "torch.Tensor", rows: Sequence[DecodingRow]) -> None:
    """Refuses unusable logits, because the argmax over NaN is token 0, which would look like an answer.

    Raises:
        UnusableLogitsError: The logits are NaN or infinite.
    """
    # NaN counts as the largest value, so the maximum shows all three cases: NaN, infinity, only minus infinity
    usable = logits.amax(dim=-1).isfinite().tolist()
    for row, fine in zip(rows, usable, strict=True):
        if row.finish is None and not fine:
            raise UnusableLogitsError(row.index)


def vacancies(live: Sequence[DecodingRow], waiting: Sequence[DecodingRow], job: DecodingJob, max_rows: int) -> int:
    """How many of the waiting rows, in order, fit into memory beside the running ones."""
    reach = max((row.reach for row in live), default=0)
    count = len(live)
    for row in waiting:
        reach = max(reach, row.reach)
        if count >= max_rows or (count > 0 and (count + 1) * reach > job.max_tokens):
            break
        count += 1
    return count - len(live)


def by_length(rows: Sequence[DecodingRow]) -> deque[DecodingRow]:
    """Sorts rows by length, shortest first, so that rows that join late need little padding."""
    return deque(sorted(rows, key=lambda row: (row.length, row.index)))


def run_with_halving(
    rows: Sequence[DecodingRow],
    job: DecodingJob,
    advance: Callable[[deque[DecodingRow], int], None],
    forget: Callable[[], list[DecodingRow]],
) -> None:
    """Calls `advance` until all rows have finished, with half as many rows after each out-of-memory.

    Args:
        rows: The rows to finish.
        job: The parameters of all rows.
        advance: `advance(waiting, max_rows)` does one step of work; it takes rows from the left of the queue.
        forget: Drops the unfinished rows of `advance` and returns them.

    Raises:
        ModelError: Not even the shortest row alone fits into memory.
        UnusableLogitsError: The logits are NaN or infinite.
    """
    waiting = by_length(rows)
    max_rows = job.max_rows
    while any(row.finish is None for row in rows):
        try:
            advance(waiting, max_rows)
            continue
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
        # outside the except block: the traceback would keep the tensors alive
        unfinished = [row for row in forget() if row.finish is None]
        _free_cached_memory()
        if len(unfinished) > 1:
            max_rows = max(1, len(unfinished) // 2)
            logger.warning("out of memory with %d conversations at once: going on with %d", len(unfinished), max_rows)
            waiting = by_length([*unfinished, *waiting])
        else:
            _give_up(unfinished[0], rows, job)


class HalvingDecoder(ABC):
    """Base class of decoders that take rows from a queue, and go back to half as many when memory runs out."""

    def __init__(self, model: "PreTrainedModel", job: DecodingJob) -> None:
        self._model: Any = model  # transformers' methods have no types
        self._job = job
        self._rows: list[DecodingRow] = []

    def run(self, rows: Sequence[DecodingRow]) -> None:
        """Finishes all rows.

        Raises:
            ModelError: Not even one row fits into memory.
            UnusableLogitsError: The logits are NaN or infinite.
        """
        run_with_halving(rows, self._job, self._advance, self._forget)

    def _forget(self) -> list[DecodingRow]:
        """Drops the unfinished rows with their cache, and returns them."""
        rows, self._rows = self._rows, []
        return rows

    @abstractmethod
    def _advance(self, waiting: deque[DecodingRow], max_rows: int) -> None:
        """Takes at most `max_rows` rows from the left of the queue, and does one step of work on them."""


def _give_up(row: DecodingRow, rows: Sequence[DecodingRow], job: DecodingJob) -> None:
    if all(other.finish in (None, "error") for other in rows):
        raise ModelError(
            f"Out of memory with a single conversation of {row.length} tokens: "
            "quantise the model (4bit), use a larger GPU, or a provider."
        )
    row.finish, row.detail = "error", f"out of memory at {row.length} tokens, even alone"
    job.on_finish(row)


def _free_cached_memory() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
