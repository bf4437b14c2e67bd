"""The Hub on loopback for the annotator's tests."""

from pathlib import Path

import pytest

from tests.hub.fixtures import hub

__all__ = ["hub"]


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every local Hub begins with the same commits, so what was downloaded from one must not be found by another."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "downloads"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "downloads"))
