"""The gallery lists what is published, finds by words, shows hostile cards as text, and stays up without the Hub."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from diffing.hub import hub_api
from diffing.outputs.dataset import push_report, search
from diffing.view.gallery import gallery_html
from diffing.view.gallery.gallery_components import answer
from diffing.view.runs import PUBLIC
from diffing.view.site import Site, SiteSettings
from diffing.view.visitor import Visitor
from tests.hub import LocalHub
from tests.hub.fixtures import hub
from tests.view.gallery.cards import publish_card
from tests.view.served import served
from tests.view.test_published_diffs import report_of

__all__ = ["hub"]
NOBODY = Visitor()
HOSTILE = "<img src=x onerror=window.hit=1>/\u202ex"


@pytest.fixture
def site(hub: LocalHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("HF_TOKEN", hub.add_user("machine"))
    hub.add_user("alice")
    opened = Site(SiteSettings(tmp_path / "site", workers=1))
    yield opened
    opened.close()


def html(site: Site, words: str = "", page: object = 0, visitor: Visitor = NOBODY) -> str:
    return answer(site, {"words": words, "page": page}, visitor)["html"].replace("\xa0", " ")


def told(site: Site, words: str = "", visitor: Visitor = NOBODY) -> str:
    return answer(site, {"words": words}, visitor)["told"]


def test_a_card_of_megabytes_hides_few_others(
    hub: LocalHub, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_MOST_BYTES", 100_000)
    for number in range(25):
        publish_card(hub, tmp_path / "card", f"alice/old-{number}", ("org/old", "org/older"))
        if number in (3, 4):
            publish_card(hub, tmp_path / "card", f"alice/huge-{number}", ("org/old", "org/older"), more="x" * 60_000)
    assert (
        told(site) == "20 published diffs"
    )  # of 27: those among which both stand, asked for ten at a time, are hidden
    assert "?diff=alice/old-24" in html(site)
    assert not [request for request in hub.requests if request.status >= 400]


@pytest.mark.parametrize("body", [b"[" * 100_000, b"<html>", b"\xff"])
def test_a_page_that_cannot_be_read_is_asked_for_in_parts(
    hub: LocalHub, site: Site, tmp_path: Path, body: bytes
) -> None:
    publish_card(hub, tmp_path / "card", "alice/old", ("org/old", "org/older"))
    hub.faults.add("GET", "/api/datasets$", 200, body=body)
    assert told(site) == "1 published diff"


def test_it_finds_by_words_by_model_and_for_the_owner(hub: LocalHub, site: Site, tmp_path: Path) -> None:
    for number in range(21):
        publish_card(hub, tmp_path / "card", f"alice/old-{number}", ("org/old", "org/older"))
    publish_card(hub, tmp_path / "card", "alice/new", ("org/Base", "org/tuned"), prompts=660, findings=40, confirmed=13)
    publish_card(hub, tmp_path / "card", "machine/own", ("org/Base", "org/own"))
    publish_card(hub, tmp_path / "card", "alice/own", ("org/Base", "org/own"))
    hub.make_private("machine/own", "dataset")
    hub.make_private("alice/own", "dataset")
    alice = Visitor(hub.add_user("alice"))
    assert [told(site), told(site, visitor=alice)] == ["22 published diffs", "23 published diffs"]
    assert "private, only you see it" in html(site, "own", visitor=alice)
    first = html(site)
    order = [first.index(f'?diff=alice/{name}"') for name in ("new", "old-20", "old-2")]
    assert order == sorted(order)
    assert all(text in first for text in ("660 prompts", "13 of 40 findings confirmed", "page 1 of 2"))
    assert "?diff=alice/old-0" in html(site, page=1)
    assert html(site, page=10**6) == html(site, page=1)
    assert told(site, " BASE  tuned ") == "1 published diff found"
    asked = len(hub.requests)
    assert told(site, "org/old") == "21 published diffs found"
    (request,) = hub.requests[asked:]
    assert "model-diff%3Aorg%2Fold" in request.query
    assert "No published diff of “<bdi>nothing &amp; none</bdi>”" in html(site, "nothing & none")
    for strange in (None, [], {"words": 3, "page": "x"}, {"words": "x" * 10**6, "page": -1}):
        assert answer(site, strange, NOBODY)["html"]


def test_cards_are_text(hub: LocalHub, site: Site, tmp_path: Path) -> None:
    publish_card(hub, tmp_path / "card", "alice/x", (HOSTILE, "${x}{{y}}"), prompts="<b>", findings=-1, confirmed=True)
    shown = html(site, "{{y}}")
    assert "<img" not in shown
    assert "&lt;img src=x onerror=window.hit=1&gt;" in shown
    assert "&lt;b&gt;" not in shown
    assert "finding" not in shown.split("<ol", 1)[1]
    assert 'value="&#34;&gt;&lt;b&gt;"' in gallery_html.page('"><b>')


def test_the_hub_may_be_down(hub: LocalHub, site: Site) -> None:
    assert "Nothing is published yet" in html(site)
    other = Visitor(hub.add_user("bob"))
    hub.faults.add("GET", "/api/datasets$", 503)
    assert "the Hub answered 503" in html(site, visitor=other)
    assert "Nothing is published yet" in html(site, visitor=other)
    assert "Examples that ship with this page" in gallery_html.page("")


@pytest.mark.browser
@pytest.mark.usefixtures("quick_apart")
def test_from_searching_to_reading(hub: LocalHub, browser: Any, tmp_path: Path) -> None:
    alice = hub.add_user("alice")
    push_report(report_of(), "alice/diff", api=hub_api(alice))
    publish_card(hub, tmp_path / "card", "alice/x", (HOSTILE, "org/other"))
    with served(tmp_path / "site", rules=PUBLIC) as at:
        page = browser.new_page()
        page.goto(f"{at.url}?gallery=other")
        page.get_by_role("link", name="onerror").wait_for()
        field = page.get_by_label("Search by model")
        assert field.input_value() == "other"
        field.fill("org/tuned")
        page.get_by_role("link", name="org/tuned").wait_for()
        assert page.locator(".part-gallery [role=status]").inner_text() == "1 published diff found"
        assert page.url.endswith("?gallery=org%2Ftuned")
        field.fill("nobody's")
        page.get_by_role("button", name="Show all").click()
        hub.faults.add("GET", "/api/datasets$", 503)
        field.fill("org/none")
        page.get_by_role("alert").get_by_text("answered 503").wait_for()
        page.get_by_role("button", name="Try again").click()
        page.get_by_text("No published diff of").wait_for()
        page.get_by_role("button", name="Show all").click()
        page.get_by_role("link", name="org/tuned").click()
        page.wait_for_url("**/?diff=alice/diff")
        page.get_by_role("tab", name="Findings").wait_for()
        page.go_back()
        page.get_by_role("link", name="onerror").wait_for()
        assert page.evaluate("window.hit") is None
        page.close()
