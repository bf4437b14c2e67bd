"""Rows on disk come back exactly, and the folder goes away."""

from pathlib import Path

import pytest
import torch

from diffing.methods.exchanges import Exchange
from diffing.methods.inside import row_store
from diffing.methods.inside.row_store import RowStore
from diffing.types import Message

ASKED = (Message("user", "x"),)
FIRST, SECOND, THIRD = (Exchange(ASKED, text) for text in ("1", "2", "3"))


def test_rows_come_back_exactly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    store = RowStore()
    rows = {
        each: (torch.randn(3 + i, 4, dtype=torch.bfloat16), torch.randn(3 + i, 2))
        for i, each in enumerate((FIRST, SECOND, THIRD))
    }
    for exchange, (a, b) in rows.items():
        store.put(exchange, a, b)
        store.put(exchange, a, b)  # both responses may be the same
    for exchange, (a, b) in rows.items():
        stored_a, stored_b = store.get(exchange)
        assert torch.equal(stored_a, a)
        assert torch.equal(stored_b, b)
        assert (stored_a.dtype, stored_b.dtype) == (torch.bfloat16, torch.float32)
    store.close()
    assert not list(tmp_path.iterdir())
    assert FIRST not in store


def test_a_disk_that_is_nearly_full_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_store, "_ROOM", 1 << 62)
    store = RowStore()
    store.put(FIRST, torch.zeros(1, 2), torch.zeros(1, 2))
    assert FIRST not in store
