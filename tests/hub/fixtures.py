"""Fixtures for tests that need the Hub: import them in a conftest."""

from collections.abc import Iterator

import huggingface_hub.constants
import pytest

from tests.hub import LocalHub


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    """An empty Hub, for clients in this process and in those that it starts.

    huggingface_hub reads its settings when it is imported: those that matter here are set in it as well. HF_ENDPOINT is
    not, so that a client that does not ask for it when called is found out.
    """
    with LocalHub() as local:
        monkeypatch.setenv("HF_ENDPOINT", local.endpoint)
        monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield local
