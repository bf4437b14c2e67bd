"""Continuous batching: generates token by token with a key-value cache, while conversations join and leave the batch.

Models with another kind of memory than keys and values (state spaces, linear attention) use `static_batching.py`. Which
one fits a model is decided by the trial in `batching_trial.py`.
"""

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from diffing.models.local.cached_rows import CachedRows
from diffing.models.local.decoding import PREFILL_TOKENS, DecodingJob, DecodingRow, HalvingDecoder, vacancies

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class ContinuousBatch(HalvingDecoder):
    """A batch whose rows join and leave while it runs."""

    def __init__(self, model: "PreTrainedModel", job: DecodingJob) -> None:
        super().__init__(model, job)
        self._cached = CachedRows(model)

    def run(self, rows: Sequence[DecodingRow]) -> None:
        """Finishes all rows.

        Raises:
            ModelError: Not even one row fits into memory.
            UnsupportedCacheError: The model has another kind of cache.
            UnusableLogitsError: See there.
        """
        super().run(rows)

    def _forget(self) -> list[DecodingRow]:
        self._cached.forget()
        return super()._forget()

    def _advance(self, waiting: deque[DecodingRow], max_rows: int) -> None:
        """Generates one token for every row, after finished rows have left and waiting rows have joined.

        Whenever rows leave or join, the whole cache is copied, so this is done for an eighth of the rows at a time.
        """
        import torch

        live = [row for row in self._rows if row.finish is None]
        vacant = vacancies(live, waiting, self._job, max_rows)
        with torch.inference_mode():
            if vacant and vacant >= min(len(waiting), max(1, len(live) // 8)):
                self._keep_live()
                self._admit(waiting, vacant)
            elif len(live) <= len(self._rows) * 3 // 4:
                self._keep_live()
            if any(row.finish is None for row in self._rows):
                self._job.take(self._rows, self._cached.step(self._rows))

    def _keep_live(self) -> None:
        kept = [place for place, row in enumerate(self._rows) if row.finish is None]
        if not kept:
            self._forget()
        elif len(kept) < len(self._rows):
            self._rows = [self._rows[place] for place in kept]
            # the token written last is not in the cache yet
            self._cached.keep(kept, columns=max(row.length for row in self._rows) - 1)

    def _admit(self, waiting: deque[DecodingRow], vacant: int) -> None:
        """Reads prompts (and what was written before memory ran out) and draws each row's next token."""
        coming: list[DecodingRow] = []
        while len(coming) < vacant and (not coming or (len(coming) + 1) * waiting[0].length <= PREFILL_TOKENS):
            coming.append(waiting.popleft())
        self._rows = [*self._rows, *coming]  # added before they are read, so that none is lost when memory runs out
        self._job.take(coming, self._cached.read(coming))
