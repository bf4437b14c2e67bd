"""Continuous batching: generates token by token with a key-value cache, while conversations join and leave the batch.

The cache (`growing_cache.py`) keeps the keys and values of all columns, also for sliding windows (the mask knows the
window), so that rows can be padded, cut and joined. Models with another kind of memory (state spaces, linear attention)
use `static_batching.py`. Which one fits a model is decided by the trial in `batching_trial.py`.
"""

import inspect
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from diffing.models.local.decoding import PREFILL_TOKENS, DecodingJob, DecodingRow, HalvingDecoder, vacancies

if TYPE_CHECKING:
    from transformers import PreTrainedModel
    from transformers.cache_utils import Cache, DynamicLayer


class UnsupportedCacheError(Exception):
    """The model's cache is not a list of keys and values that can be cut and joined."""


@dataclass(frozen=True, slots=True)
class CacheMemory:
    """How a model expects its cache, and how many bytes it takes."""

    argument: str
    """The name of the argument for the cache, which is also its name in the output. transformers renames this argument
    from time to time (`past_key_values`, `cache`)."""
    token_bytes: int
    """Bytes of keys and values per token."""


def memory_of(model: "PreTrainedModel") -> CacheMemory:
    """Runs a model on one token to find out how its cache works.

    Raises:
        UnsupportedCacheError: It returns no cache of keys and values, or one of another kind.
    """
    import torch
    from transformers import DynamicCache
    from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

    call: Any = model
    ids = torch.zeros(1, 1, dtype=torch.long, device=model.device)
    with torch.inference_mode():
        output = call(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=True)
    for name, value in output.items():
        if type(value) is DynamicCache:
            if not all(type(layer) in (DynamicLayer, DynamicSlidingWindowLayer) for layer in value.layers):
                raise UnsupportedCacheError("some of its layers remember otherwise than by keys and values")
            layers = cast("list[DynamicLayer]", value.layers)
            kept = [part for layer in layers for part in (layer.keys, layer.values) if part is not None]
            return CacheMemory(str(name), sum(part.nbytes for part in kept))
    raise UnsupportedCacheError("it returns no cache of keys and values")


class ContinuousBatch(HalvingDecoder):
    """A batch whose rows join and leave while it runs."""

    def __init__(self, model: "PreTrainedModel", job: DecodingJob) -> None:
        super().__init__(model, job)
        self._memory: CacheMemory | None = None
        self._takes = {name for name in ("position_ids", "logits_to_keep") if _takes(model, name)}
        self._cache: Cache | None = None

    def run(self, rows: Sequence[DecodingRow]) -> None:
        """Finishes all rows.

        Raises:
            ModelError: Not even one row fits into memory.
            UnsupportedCacheError: The model has another kind of cache.
            UnusableLogitsError: See there.
        """
        super().run(rows)

    def _forget(self) -> list[DecodingRow]:
        self._cache = None
        return super()._forget()

    def _advance(self, waiting: deque[DecodingRow], max_rows: int) -> None:
        """Generates one token for every row, after finished rows have left and waiting rows have joined.

        Whenever rows leave or join, the whole cache is copied, so this is done for an eighth of the rows at a time.
        """
        live = [row for row in self._rows if row.finish is None]
        vacant = vacancies(live, waiting, self._job, max_rows)
        if vacant and vacant >= min(len(waiting), max(1, len(live) // 8)):
            self._keep_live()
            self._admit(waiting, vacant)
        elif len(live) <= len(self._rows) * 3 // 4:
            self._keep_live()
        if any(row.finish is None for row in self._rows):
            self._step()

    def _keep_live(self) -> None:
        kept = [place for place, row in enumerate(self._rows) if row.finish is None]
        if not kept:
            self._forget()
        elif self._cache is not None and len(kept) < len(self._rows):
            from diffing.models.local.growing_cache import keep

            self._rows = [self._rows[place] for place in kept]
            # the token written last is not in the cache yet
            keep(self._cache, kept, columns=max(row.length for row in self._rows) - 1)

    def _admit(self, waiting: deque[DecodingRow], vacant: int) -> None:
        coming: list[DecodingRow] = []
        while len(coming) < vacant and (not coming or (len(coming) + 1) * waiting[0].length <= PREFILL_TOKENS):
            coming.append(waiting.popleft())
        self._rows = [*self._rows, *coming]  # added before they are read, so that none is lost when memory runs out
        cache = self._read(coming)
        if self._cache is None:
            self._cache = cache
        else:
            from diffing.models.local.growing_cache import append

            append(self._cache, cache)

    def _read(self, rows: Sequence[DecodingRow]) -> "Cache":
        """Reads prompts (and what was written before memory ran out) and draws each row's next token."""
        from diffing.models.local.growing_cache import growing_cache

        longest = max(row.length for row in rows)
        # the token under the padding does not matter; 0 exists in every vocabulary
        ids = [[0] * (longest - row.length) + row.prompt + row.written for row in rows]
        cache = growing_cache()
        self._forward(rows, ids, cache)
        return cache

    def _step(self) -> None:
        assert self._cache is not None
        self._forward(self._rows, [[row.written[-1]] for row in self._rows], self._cache)

    def _forward(self, rows: Sequence[DecodingRow], ids: list[list[int]], cache: "Cache") -> None:
        """Appends a column per new token to the cache; a row's own columns are its last `length` ones."""
        import torch

        memory = self._memory = self._memory or memory_of(self._model)
        device, new = self._model.device, len(ids[0])
        columns = cache.get_seq_length() + new
        padding = columns - torch.tensor([row.length for row in rows], device=device)
        positions = torch.arange(columns, device=device) - padding[:, None]
        arguments: dict[str, Any] = {memory.argument: cache, "attention_mask": (positions >= 0).long()}
        if "position_ids" in self._takes:
            arguments["position_ids"] = positions[:, -new:].clamp(min=0)
        if "logits_to_keep" in self._takes:
            arguments["logits_to_keep"] = 1
        with torch.inference_mode():
            output = self._model(input_ids=torch.tensor(ids, device=device), use_cache=True, **arguments)
            if cache.get_seq_length() != columns:
                raise UnsupportedCacheError("it keeps other columns than those of its tokens")
            self._job.take(rows, output.logits[:, -1])


def _takes(model: Any, argument: str) -> bool:  # noqa: ANN401 - peft's model is no PreTrainedModel, but stands for one
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    return argument in inspect.signature(base.forward).parameters
