"""The page is served, and links lead from place to place within it."""

from pathlib import Path
from typing import Any

import httpx2
import pytest

from diffing.view.page_query import PageAddress, read_address
from diffing.view.runs import PUBLIC
from tests.view.served import served
from tests.waiting import DEADLINE


@pytest.mark.parametrize(
    "address",
    [
        PageAddress(),
        PageAddress("run", "x-_9"),
        PageAddress("diff", "user/name@main"),
        PageAddress("example", "planted"),
        PageAddress("pair", "org/base", "org/tuned@v1"),
        PageAddress("pair", "", "base+adapter"),
        PageAddress("gallery", ""),
        PageAddress("gallery", "llama & <b>"),
    ],
)
def test_an_address_comes_back_from_its_query(address: PageAddress) -> None:
    assert read_address(address.query) == address


@pytest.mark.parametrize("query", ["view=api", "run=", "a=&b=", "?", "%ff%00=1", "__theme=dark"])
def test_a_query_that_names_nothing_is_the_start(query: str) -> None:
    assert read_address(query) == PageAddress()


@pytest.mark.browser
def test_links_lead_within_the_page_and_back(browser: Any, tmp_path: Path) -> None:
    with served(tmp_path / "site") as at:
        page = browser.new_page()
        page.goto(f"{at.url}?run=%3Cimg%20src%3Dx%20onerror%3Dwindow.hit%3D1%3E")
        page.get_by_role("alert").get_by_text("There is no such run").wait_for()
        page.get_by_role("link", name="Gallery").click()
        page.wait_for_url("**/?gallery=")
        page.get_by_role("link", name="New diff").click()
        page.wait_for_url(at.url)
        page.go_back()
        page.locator(".part-gallery").wait_for(state="attached")
        assert page.url.endswith("?gallery=")
        assert page.evaluate("window.hit") is None
        page.get_by_role("link", name="API and MCP").click()
        page.get_by_text("compare_models").first.wait_for()
        page.wait_for_function("document.activeElement.ariaLabel === 'Close'")
        page.keyboard.press("Escape")
        page.locator(".api-docs").wait_for(state="detached")
        api = httpx2.get(f"{at.url}gradio_api/info", timeout=DEADLINE).json()
        page.close()
    assert not [name for name in api["named_endpoints"] if name.startswith(("/go", "/arrive"))]


def test_another_website_cannot_act_through_a_visitors_browser(tmp_path: Path) -> None:
    with served(tmp_path / "site") as at:
        sent = {"url": f"{at.url}gradio_api/call/find_diffs", "json": {"data": []}, "timeout": 10.0}
        own = httpx2.post(**sent, headers={"sec-fetch-site": "same-origin"})
        program = httpx2.post(**sent)
        foreign = httpx2.post(**sent, headers={"sec-fetch-site": "cross-site"})
        older = [httpx2.post(**sent, headers={"origin": origin}) for origin in ("https://evil.example", at.url[:-1])]
        renamed = httpx2.get(at.url, headers={"host": "rebound.example"}, timeout=DEADLINE)
        large = httpx2.post(**{**sent, "json": {"data": ["x" * 2_000_000]}})
        watched = httpx2.get(f"{at.url}monitoring/summary", timeout=DEADLINE)
        page = httpx2.get(at.url, timeout=DEADLINE)
    assert page.headers["content-security-policy"].endswith("; frame-ancestors 'self'")
    assert (large.status_code, watched.status_code) == (413, 403)
    assert "Another website asked" not in own.text + program.text
    assert [each.status_code == 403 for each in older] == [True, False]
    assert (foreign.status_code, foreign.text[:21]) == (403, "Another website asked")
    assert renamed.status_code == 400


def test_a_page_with_this_machines_login_listens_to_this_machine_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_SERVER_NAME", "0.0.0.0")
    with served(tmp_path / "site") as at:
        assert at.url.startswith("http://127.0.0.1:")


def test_without_a_cookie_nobody_acts_on_a_public_machine_so_other_websites_may_ask(tmp_path: Path) -> None:
    with served(tmp_path / "site", rules=PUBLIC) as at:
        sent = {"url": f"{at.url}gradio_api/call/find_diffs", "json": {"data": []}, "timeout": 10.0}
        plain = httpx2.post(**sent, headers={"sec-fetch-site": "cross-site"})
        signed_in = httpx2.post(**sent, headers={"sec-fetch-site": "cross-site", "cookie": "session=x"})
        page = httpx2.get(at.url, timeout=DEADLINE)
    assert page.headers["content-security-policy"].endswith("huggingface.co https://*.hf.space")
    assert plain.status_code != 403
    assert signed_in.status_code == 403
