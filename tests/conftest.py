"""Fixtures for all tests."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.starter import Starter

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
]  # fmt: skip


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real material kept beside the project; tests that need it skip where it is absent."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs ../shared/data, which is not there")
    return folder


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Tiny models are slower, not faster, on several threads."""
    try:
        import torch
    except ImportError:
        return
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Local models compute in float32 where nothing else is asked for, also on processors that are fast at bfloat16:
    what is expected to the last letter must not depend on the machine."""
    monkeypatch.setattr("diffing.models.local.fitting.fast_bfloat16", lambda: False)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium, without a window.

    While it is open no second one starts and `asyncio.run` refuses, so it is closed before another file's tests begin.
    """
    api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("needs Debian's chromium")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def starter() -> Iterator[Starter]:
    """Starts commands without importing everything each time."""
    with Starter() as started:
        yield started
