"""No visitor's browser asks anybody but the app: whoever else is asked learns of the visitor."""

from pathlib import Path
from typing import Any

import pytest

from diffing.view.runs import PUBLIC
from tests.view.journeys.looked import settle
from tests.view.served import served

pytestmark = pytest.mark.browser
PLACES = ("", "?example=rules", "?gallery=", "?view=api")
TABS = ("Features", "Raw tables")


@pytest.mark.parametrize("places", [PLACES[:1], pytest.param(PLACES, marks=pytest.mark.slow)], ids=["start", "all"])
def test_no_page_asks_anybody_else(
    places: tuple[str, ...], browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # as in a Space, where Gradio shows a bar with a font of Google's and a picture of the Hub's
    monkeypatch.setenv("SYSTEM", "spaces")
    monkeypatch.setenv("SPACE_ID", "alice/diffing")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    left: list[str] = []

    def watch(route: Any) -> None:
        address = route.request.url
        if address.startswith((at.url, "data:", "blob:")):
            route.continue_()
        else:
            left.append(address)
            route.abort()

    with served(tmp_path / "site", rules=PUBLIC) as at:
        visitor = browser.new_context()
        visitor.route("**/*", watch)
        page = visitor.new_page()
        for place in places:
            page.goto(f"{at.url}{place}")
            page.locator(".site-header").first.wait_for()
            settle(page)
            if place.startswith("?example"):
                for tab in TABS:
                    page.get_by_role("tab", name=tab).click()
                    settle(page)
        assert left == []
        # nor where hostile text would have it: and what is watched for would be seen
        for asks in ("fetch(there)", "new Image().src = there", "navigator.sendBeacon(there)"):
            page.evaluate(
                f"there => {{ {asks.replace('fetch(there)', 'fetch(there).catch(() => 0)')} }}", "https://x.example/"
            )
        settle(page)
        assert left == []
        with pytest.raises(Exception, match="ERR_FAILED"):
            page.goto("https://x.example/")
        assert left == ["https://x.example/"]
        visitor.close()
