"""Every string of the hostile corpus in what leaves the page: frame, picture, link preview, word diff, copied Markdown.

Frames and word diffs take longer: of these, every string is tried in the browser only.
"""

import asyncio
import re
import shutil
import xml.etree.ElementTree as ET
from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import Any, cast

import pytest
from markdown_it import MarkdownIt

from diffing.outputs.figures import badge, preview, rates_file
from diffing.outputs.files.markdown_summary import markdown_summary
from diffing.outputs.html import render
from diffing.outputs.html.embedded_page import embed
from diffing.outputs.html.page import page_of
from diffing.types import Report
from diffing.view.link_preview import LinkPreviews, LinkPreviewTags
from diffing.view.site import Site
from tests.hostile import CORE, CORPUS, handlers_in
from tests.outputs.samples import lines_report, report_of
from tests.outputs.test_corpus import Seen

AT = "https://a.example/?run=x"
MARKDOWN = MarkdownIt("gfm-like", {"linkify": False, "html": True})
_OF_SVG = {"svg", "title", "desc", "rect", "line", "circle", "path", "text", "g"}


def report_with(text: str) -> Report:
    """The text is both models' names, each prompt, both answers, and what is confirmed first."""
    report = report_of((text, f"{text} {text}", f"once {text} more", f"{text} again"))
    return replace(report, findings=tuple(replace(each, confirmed=True) for each in report.findings))


@cache
def attacked() -> dict[str, Report]:
    return {name: report_with(text) for name, text in CORPUS.items()}


@cache
def harmless() -> Report:
    return report_with("plain words, longer than a name in a headline")


def framed(report: Report) -> str:
    return embed(report, page_of(report, brief=True), "?run=x")


def test_in_a_frame_it_is_text() -> None:
    page = framed(harmless())
    ours, statements = Seen(page), page.count('<div class="say">')
    for name in CORE:
        page = framed(attacked()[name])
        seen = Seen(page)
        assert seen.elements.keys() <= ours.elements.keys(), name
        assert (seen.strange, seen.links, handlers_in(page)) == ([], {"?run=x"}, []), name
        assert page.count('<div class="say">') == statements > 0, name


def test_in_a_picture_it_is_text() -> None:
    for name, report in attacked().items():
        for drawn in (preview(report), badge(report), rates_file(report) or b"<svg/>"):
            root = ET.fromstring(drawn)
            assert {element.tag.rpartition("}")[2] for element in root.iter()} <= _OF_SVG, name
            keys = {key for element in root.iter() for key in element.attrib}
            assert not [key for key in keys if key.startswith("on") or "href" in key], name
        assert len(drawn) < 40_000, name


def head_of(report: Report, monkeypatch: pytest.MonkeyPatch) -> str:
    """The first HTML of a link to the report."""
    monkeypatch.setattr("diffing.view.link_preview.linked_report", lambda *_: SimpleNamespace(report=report))
    sent: list[bytes] = []

    async def app(_: object, __: object, send: Any) -> None:
        headers = [(b"content-type", b"text/html")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"<html><head></head><body>ours</body></html>"})

    async def send(message: Any) -> None:
        await asyncio.sleep(0)
        sent.append(message.get("body", b""))

    scope: Any = {
        "type": "http", "method": "GET", "path": "/", "scheme": "https", "query_string": b"run=x",
        "headers": [(b"host", b"a.example")],
    }  # fmt: skip
    tagged = LinkPreviewTags(cast(Any, app), previews=LinkPreviews(cast(Site, None)))
    asyncio.run(tagged(scope, cast(Any, None), send))
    return b"".join(sent).decode()


def test_in_the_tags_of_a_link_preview_it_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = Seen(head_of(harmless(), monkeypatch))
    for name, report in attacked().items():
        seen = Seen(head_of(report, monkeypatch))
        assert seen.elements == ours.elements, name
        assert (seen.strange, "".join(seen.text).strip()) == ([], "ours"), name


def test_in_copied_markdown_it_is_text() -> None:
    for name, report in attacked().items():
        tokens = MARKDOWN.parse(markdown_summary(report, AT))
        every = [child for token in tokens for child in (token, *(token.children or []))]
        assert not [each for each in every if each.type in ("html_inline", "html_block", "image")], name
        assert [each.attrGet("href") for each in every if each.type == "link_open"] == [AT], name


def test_in_a_word_diff_it_is_text() -> None:
    ours = Seen(render(harmless())).elements | Seen(render(lines_report())).elements
    for name in CORE:
        page = render(attacked()[name])
        assert Seen(page).elements.keys() <= ours.keys(), name
        assert page.partition('<div class="series">')[2].partition('<div class="rail">')[0].count("<u>"), name


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Debian's chromium")
def test_nothing_runs_is_asked_for_or_breaks_the_layout(browser: Any) -> None:
    page = browser.new_context(viewport={"width": 390, "height": 800}).new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for name, report in attacked().items():
        copied = MARKDOWN.render(markdown_summary(report, AT))
        drawn = re.sub(r"^<\?xml.*?\?>", "", preview(report).decode())
        for shown in (framed(report), render(report), f"<body style='overflow-wrap:anywhere'>{copied}", drawn):
            page.set_content(shown)
            for tab in page.locator("#overview [role=tab][data-view=differs]:visible").all()[:1]:
                tab.click()
                assert page.locator("#overview .pair:visible").first.get_attribute("data-view") == "differs", name
            assert page.evaluate("window.hit") is None, name
            if shown is not drawn:
                assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
    assert asked == []
    page.context.close()
