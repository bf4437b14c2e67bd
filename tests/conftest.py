"""Fixtures for all tests."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.starter import Starter
from tests.waiting import DEADLINE

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
    monkeypatch.setattr("diffing.models.local.memory.fast_bfloat16", lambda: False)


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
        api.expect.set_options(timeout=1000 * DEADLINE)
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS, timeout=1000 * DEADLINE)
        yield Patient(browser)
        browser.close()


class Patient:
    """A browser whose pages wait long: on a busy machine what is to come may take minutes."""

    def __init__(self, browser: Any) -> None:
        self._browser = browser

    def new_context(self, **options: Any) -> Any:
        """As Playwright's."""
        context = self._browser.new_context(**options)
        context.set_default_timeout(1000 * DEADLINE)
        return context

    def new_page(self, **options: Any) -> Any:
        """As Playwright's."""
        page = self._browser.new_page(**options)
        page.set_default_timeout(1000 * DEADLINE)
        return page


@pytest.fixture(scope="session")
def starter(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Starter]:
    """Starts commands without importing everything each time."""
    folder = tmp_path_factory.getbasetemp()
    with Starter(folder if worker_id == "master" else folder.parent) as started:
        yield started
