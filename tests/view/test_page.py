"""The page of the Space is served, and a report inside it cannot reach out of its frame."""

import html
import re

import httpx2
import pytest

from diffing.view import build, framed

pytest.importorskip("gradio", reason="needs the extra app")


def test_page_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "0")
    page = build()
    _, url, _ = page.launch(prevent_thread_lock=True, ssr_mode=False, quiet=True, run_history=False)
    try:
        answer = httpx2.get(url, timeout=10.0)
        api = httpx2.get(f"{url}gradio_api/info", timeout=10.0).json()
    finally:
        page.close()
    assert answer.status_code == 200
    assert "How do two language models behave differently?" in answer.text
    assert "/demo" in api["named_endpoints"]


def test_report_stays_in_its_frame() -> None:
    hostile = '<p title="x">\'"></iframe><script>parent.document.title = "out"</script>'
    frame = framed(hostile)
    inside = re.search(r'srcdoc="([^"]*)"', frame)
    assert inside is not None
    assert html.unescape(inside[1]) == hostile
    assert frame.count("<") == 2
    assert 'sandbox="allow-scripts"' in frame
