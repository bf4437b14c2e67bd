"""The page of the Space is served, computes the embedded pair and shows the result."""

import shutil
from pathlib import Path

import httpx2
import pytest

from diffing.view import build

pytest.importorskip("gradio", reason="needs the extra app")


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")
def test_the_pair_is_compared_and_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from playwright.sync_api import sync_playwright

    monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "0")
    monkeypatch.setenv("DIFFING_CACHE", str(tmp_path / "cache"))
    page = build(tmp_path / "report")
    _, url, _ = page.launch(prevent_thread_lock=True, ssr_mode=False, quiet=True, run_history=False)
    try:
        answer = httpx2.get(url, timeout=10.0)
        api = httpx2.get(f"{url}gradio_api/info", timeout=10.0).json()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            shown = browser.new_page()
            shown.goto(url)
            shown.get_by_role("button", name="Compare the two models").click()
            headline = shown.locator("#headline")
            headline.wait_for(timeout=120_000)
            told = headline.inner_text()
            browser.close()
    finally:
        page.close()
    assert answer.status_code == 200
    assert "How do two language models behave differently?" in answer.text
    assert "/demo" in api["named_endpoints"]
    assert "/open_report" not in api["named_endpoints"]
    assert "tuned opens with praise" in told
