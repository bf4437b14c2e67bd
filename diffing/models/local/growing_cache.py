"""A key-value cache with room to grow: a step writes its column in place, where transformers' own copies the cache.

It extends `DynamicLayer` of transformers, whose `update` every model calls. Importing this module imports transformers,
so other modules import it when a model runs.
"""

from collections.abc import Sequence
from typing import Any, cast

import torch  # noqa: TID253 - see above
from transformers.cache_utils import Cache, DynamicLayer  # noqa: TID253

ROOM = 64
"""The number of columns that can be written before keys and values are copied to a larger place."""


class GrowingLayer(DynamicLayer):  # type: ignore[no-untyped-call]
    """The keys and values of one layer, shape (rows, heads, columns, width), each the beginning of a larger tensor."""

    keys: torch.Tensor
    values: torch.Tensor

    _key_place: torch.Tensor | None = None
    _value_place: torch.Tensor | None = None

    def update(
        self,
        key_states: torch.Tensor,
        value_states: torch.Tensor,
        *args: Any,  # noqa: ANN401 - models pass on what other kinds of layers need
        **kwargs: Any,  # noqa: ANN401
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Writes new columns behind the others, and returns the keys and values of all columns.

        Args:
            key_states: The keys of the new columns, shape (rows, heads, columns, width).
            value_states: Their values.
            *args: Ignored, as by `DynamicLayer`.
            **kwargs: Ignored, as by `DynamicLayer`.
        """
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self.keys, self.values = key_states[:, :, :0], value_states[:, :, :0]
        self._key_place, self.keys = _written(self._key_place, self.keys, key_states)
        self._value_place, self.values = _written(self._value_place, self.values, value_states)
        return self.keys, self.values

    def keep(self, rows: Sequence[int], columns: int) -> None:
        """Keeps only the given rows and the last `columns` columns."""
        self._hold([(self.keys, rows)], [(self.values, rows)], columns)

    def append(self, other: "GrowingLayer") -> None:
        """Appends the rows of another layer; the layer with fewer columns is padded on the left with zeros."""
        columns = max(self.keys.shape[-2], other.keys.shape[-2])
        self._hold([(self.keys, None), (other.keys, None)], [(self.values, None), (other.values, None)], columns)

    def _hold(self, keys: "_Parts", values: "_Parts", columns: int) -> None:
        self._key_place, self._value_place = _place_of(keys, columns), _place_of(values, columns)
        self.keys, self.values = self._key_place[:, :, :columns], self._value_place[:, :, :columns]


_Parts = Sequence[tuple[torch.Tensor, Sequence[int] | None]]
"""Keys or values, each with the rows that are wanted of them; None for all rows."""


def _place_of(parts: _Parts, columns: int) -> torch.Tensor:
    """Copies the last `columns` columns of each part to one larger tensor, below each other."""
    sizes = [len(part) if rows is None else len(rows) for part, rows in parts]
    heads, _, width = parts[0][0].shape[1:]
    place = parts[0][0].new_zeros(sum(sizes), heads, columns + ROOM, width)
    for (part, rows), its_place in zip(parts, torch.split(place, sizes), strict=True):
        last = part[:, :, max(0, part.shape[-2] - columns) :]
        wanted = last if rows is None else last[torch.tensor(rows, device=last.device)]
        its_place[:, :, columns - last.shape[-2] : columns] = wanted
    return place


def _written(place: torch.Tensor | None, held: torch.Tensor, new: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Writes new columns behind those that are held, and returns the place, larger if necessary, and all columns."""
    before, columns = held.shape[-2], held.shape[-2] + new.shape[-2]
    if place is None or place.shape[-2] < columns:
        place = new.new_empty(*new.shape[:2], columns + ROOM, new.shape[-1])
        place[:, :, :before] = held
    place[:, :, before:columns] = new
    return place, place[:, :, :columns]


def growing_cache() -> Cache:
    """Returns an empty cache whose layers are `GrowingLayer`."""
    return Cache(layer_class_to_replicate=GrowingLayer)


def keep(cache: Cache, rows: Sequence[int], columns: int) -> None:
    """Keeps only the given rows and the last `columns` columns of a cache from `growing_cache`."""
    for layer in _layers(cache):
        layer.keep(rows, columns)


def append(upper: Cache, lower: Cache) -> None:
    """Appends the rows of the second cache to the first; the one with fewer columns is padded on the left."""
    for above, below in zip(_layers(upper), _layers(lower), strict=True):
        above.append(below)


def _layers(cache: Cache) -> list[GrowingLayer]:
    return cast("list[GrowingLayer]", cache.layers)
