"""Fixtures of the tests of models that are asked over HTTP."""

import pytest


@pytest.fixture
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user has no key for any server."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("DIFFING_API_KEY", raising=False)
