"""Fixtures for tests that need the Hub: import them in a conftest."""

from collections.abc import Iterator

import pytest

from tests.hub import LocalHub


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    """An empty Hub; clients in this process that ask for the endpoint when called, and processes it starts, use it."""
    with LocalHub() as local:
        monkeypatch.setenv("HF_ENDPOINT", local.endpoint)
        monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
        monkeypatch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield local
