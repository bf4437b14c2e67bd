"""The page is served, and links lead from place to place within it."""

from pathlib import Path
from typing import Any

import httpx2
import pytest

from diffing.view.address import Address, read_address
from tests.view.served import served


@pytest.mark.parametrize(
    "address",
    [
        Address(),
        Address("run", "x-_9"),
        Address("diff", "user/name@main"),
        Address("example", "planted"),
        Address("pair", "org/base", "org/tuned@v1"),
        Address("pair", "", "base+adapter"),
        Address("gallery", ""),
        Address("gallery", "llama & <b>"),
    ],
)
def test_an_address_comes_back_from_its_query(address: Address) -> None:
    assert read_address(address.query) == address


@pytest.mark.parametrize("query", ["view=api", "run=", "a=&b=", "?", "%ff%00=1", "__theme=dark"])
def test_a_query_that_names_nothing_is_the_start(query: str) -> None:
    assert read_address(query) == Address()


@pytest.mark.browser
def test_links_lead_within_the_page_and_back(browser: Any, tmp_path: Path) -> None:
    with served(tmp_path / "site") as at:
        page = browser.new_page()
        page.set_default_timeout(15_000)
        page.goto(f"{at.url}?run=%3Cimg%20src%3Dx%20onerror%3Dwindow.hit%3D1%3E")
        page.get_by_role("alert").get_by_text("There is no such run any more").wait_for()
        page.get_by_role("link", name="Gallery").click()
        page.wait_for_url("**/?gallery=")
        page.get_by_role("link", name="New diff").click()
        page.wait_for_url(at.url)
        page.go_back()
        page.locator(".part-gallery").wait_for(state="attached")
        assert page.url.endswith("?gallery=")
        assert page.evaluate("window.hit") is None
        api = httpx2.get(f"{at.url}gradio_api/info", timeout=10.0).json()
        page.close()
    assert not [name for name in api["named_endpoints"] if name.startswith(("/go", "/arrive"))]
