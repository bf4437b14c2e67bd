"""The cache holds the keys and values that were written, across growing, rows that leave and rows that join."""

import torch

from diffing.models.local.growing_cache import ROOM, append, growing_cache, keep


def columns(rows: int, count: int, seed: int) -> torch.Tensor:
    """Random keys or values of 2 heads of width 3."""
    return torch.randn(rows, 2, count, 3, generator=torch.Generator().manual_seed(seed))


def test_what_was_written_is_returned_however_often_it_grows() -> None:
    cache, keys, values = growing_cache(), [columns(4, 7, 0)], [columns(4, 7, 1)]
    cache.update(keys[0], values[0], 0)
    for step in range(2 * ROOM + 5):
        keys.append(columns(4, 1, 2 * step + 2))
        values.append(columns(4, 1, 2 * step + 3))
        held = cache.update(keys[-1], values[-1], 0)
    assert cache.get_seq_length() == 7 + 2 * ROOM + 5
    assert torch.equal(held[0], torch.cat(keys, dim=-2))
    assert torch.equal(held[1], torch.cat(values, dim=-2))


def test_rows_leave_and_join() -> None:
    upper, lower = growing_cache(), growing_cache()
    first, second, new = columns(3, 9, 0), columns(2, 5, 1), columns(4, 1, 2)
    upper.update(first, -first, 0)
    lower.update(second, -second, 0)
    keep(upper, [2, 0], columns=6)
    append(upper, lower)
    keys, values = upper.update(new, -new, 0)
    padded = torch.cat([torch.zeros(2, 2, 1, 3), second], dim=-2)
    assert torch.equal(keys, torch.cat([torch.cat([first[[2, 0], :, 3:], padded]), new], dim=-2))
    assert torch.equal(values, -keys)
