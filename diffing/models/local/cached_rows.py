"""The keys and values of a batch's rows: reads new rows, goes one token further, and keeps or joins rows.

The cache (`growing_cache.py`) keeps the keys and values of all columns, also for sliding windows (the mask knows the
window), so that rows can be padded, cut and joined.
"""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from diffing.models.local.decoding import DecodingRow

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel
    from transformers.cache_utils import Cache, DynamicLayer


class UnsupportedCacheError(Exception):
    """The model's cache is not a list of keys and values that can be cut and joined."""


@dataclass(frozen=True, slots=True)
class Memory:
    """How a model expects its cache, and how many bytes it takes."""

    argument: str
    """The name of the argument for the cache, which is also its name in the output. transformers renames this argument
    from time to time (`past_key_values`, `cache`)."""
    token_bytes: int
    """Bytes of keys and values per token."""


def memory_of(model: "PreTrainedModel") -> Memory:
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
            return Memory(str(name), sum(part.nbytes for part in kept))
    raise UnsupportedCacheError("it returns no cache of keys and values")


class CachedRows:
    """The cache of a batch; which rows it holds, and in which order, is known to its user.

    All calls belong in `torch.inference_mode`.
    """

    def __init__(self, model: "PreTrainedModel") -> None:
        self._model: Any = model  # transformers' methods have no types
        self._memory: Memory | None = None
        self._takes = {name for name in ("position_ids", "logits_to_keep") if _takes(model, name)}
        self._cache: Cache | None = None

    def read(self, rows: Sequence[DecodingRow]) -> "torch.Tensor":
        """Reads all tokens of new rows and holds them below the others.

        Returns:
            The logits of the next token, shape (rows, vocabulary).

        Raises:
            UnsupportedCacheError: The model has another kind of cache.
        """
        from diffing.models.local.growing_cache import append, growing_cache

        longest = max(row.length for row in rows)
        # the token under the padding does not matter; 0 exists in every vocabulary
        ids = [[0] * (longest - row.length) + row.prompt + row.written for row in rows]
        cache = growing_cache()
        logits = self._forward(rows, ids, cache)
        if self._cache is None:
            self._cache = cache
        else:
            append(self._cache, cache)
        return logits

    def step(self, rows: Sequence[DecodingRow]) -> "torch.Tensor":
        """Reads the last token of all rows that are held.

        Args:
            rows: These rows, in order.

        Returns:
            The logits of the next token, shape (rows, vocabulary).

        Raises:
            UnsupportedCacheError: The model has another kind of cache.
        """
        assert self._cache is not None
        return self._forward(rows, [[row.written[-1]] for row in rows], self._cache)

    def keep(self, places: Sequence[int], columns: int) -> None:
        """Keeps only some of the rows.

        Args:
            places: The places of these rows, in their new order.
            columns: The number of tokens of the longest of them that have been read.
        """
        from diffing.models.local.growing_cache import keep

        if self._cache is not None:
            keep(self._cache, places, columns)

    def forget(self) -> None:
        """Drops all rows."""
        self._cache = None

    def _forward(self, rows: Sequence[DecodingRow], ids: list[list[int]], cache: "Cache") -> "torch.Tensor":
        """Appends a column per new token to a cache; a row's own columns are its last `length` ones."""
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
        output = self._model(input_ids=torch.tensor(ids, device=device), use_cache=True, **arguments)
        if cache.get_seq_length() != columns:
            raise UnsupportedCacheError("it keeps other columns than those of its tokens")
        logits: torch.Tensor = output.logits[:, -1]
        return logits


def _takes(model: Any, argument: str) -> bool:  # noqa: ANN401 - peft's model is no PreTrainedModel, but stands for one
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    return argument in inspect.signature(base.forward).parameters
