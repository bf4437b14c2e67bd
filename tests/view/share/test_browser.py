"""From a result to its files, its dataset, a proposal to a model's card, and back by the new link; in a browser."""

import csv
import io
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from diffing.outputs.card import edit, section
from tests.view.served import served
from tests.view.share.conftest import CARD, MODEL, World, report

pytestmark = pytest.mark.browser


def downloaded(page: Any, name: str) -> tuple[bytes, Path]:
    """The file, and where the app keeps it."""
    with page.expect_download() as download:
        page.get_by_role("button", name=name).click()
    assert download.value.suggested_filename == name
    return Path(download.value.path()).read_bytes(), Path(unquote(download.value.url.partition("file=")[2]))


@pytest.mark.usefixtures("quick_apart")
def test_a_result_is_taken_away_published_proposed_and_reopened(
    browser: Any, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", world.tokens["alice"])
    with served(world.folder, workers=1) as at:
        page = browser.new_page(viewport={"width": 390, "height": 800})
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        finding = report().findings[0].hypothesis.id
        page.goto(f"{at.url}?run=kept&finding={finding}&side=b")
        page.get_by_role("button", name="Download").click()
        page.wait_for_function(
            "document.activeElement.textContent === 'Download' && document.activeElement.matches('h2')"
        )
        content, kept = downloaded(page, "base-vs-tuned.csv")
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
        assert len(rows) == 1 + len(report().findings)
        with zipfile.ZipFile(io.BytesIO(downloaded(page, "base-vs-tuned.zip")[0])) as archive:
            assert "base-vs-tuned/report.json" in archive.namelist()
        page_file, _ = downloaded(page, "base-vs-tuned.html")
        assert page_file.startswith(b"<!doctype html>")
        assert kept.is_file()
        page.keyboard.press("Escape")
        page.locator("#share-panel").wait_for(state="hidden")
        page.wait_for_function("document.activeElement.dataset.panel === 'download'")

        page.get_by_role("button", name="Share").click()
        assert page.get_by_role("textbox", name="This finding").input_value() == f"{at.url}?run=kept&finding={finding}"
        whole = page.get_by_role("textbox", name="This result, in this app")
        assert whole.input_value() == f"{at.url}?run=kept&side=b"
        page.get_by_label("Keep my filters in the link").uncheck()
        assert whole.input_value() == f"{at.url}?run=kept"
        frame = page.get_by_role("textbox", name="HTML of the frame").input_value()
        assert f'src="{at.url}?embed=1&amp;finding={finding}&amp;run=kept"' in frame
        assert at.url in page.get_by_role("textbox", name="Markdown of the badge").input_value()
        assert (
            page.locator("#share-panel .picture").evaluate("async (it) => (await it.decode(), it.naturalWidth)") == 1200
        )
        page.get_by_role("button", name="Put on the Hub").click()
        dataset = page.get_by_role("textbox", name="Dataset")
        assert dataset.input_value() == "alice/base-vs-tuned"
        dataset.fill("carol/mine")
        page.get_by_role("button", name="Publish").click()
        page.get_by_role("alert").get_by_text("The token may not write to carol/mine").wait_for()
        assert dataset.input_value() == "carol/mine", "nothing is lost"
        dataset.fill("alice/mine")
        page.get_by_role("button", name="Publish").click()
        page.get_by_text("Published").wait_for()

        page.locator("#share-panel").get_by_role("button", name="Write into the model card").click()
        page.get_by_label(MODEL).check()
        page.get_by_role("button", name="Show what would change").click()
        page.get_by_role("button", name="Open a pull request").click()
        page.get_by_text("A pull request to bob/tuned was opened.").wait_for()
        assert world.readme("refs/pr/1") == edit(CARD, section(report(), of=MODEL, dataset="alice/mine"))
        assert world.readme() == CARD

        page.get_by_role("button", name="All ways to share").click()
        badge = page.get_by_role("textbox", name="Markdown of the badge").input_value()
        assert "(https://huggingface.co/datasets/alice/mine/resolve/main/badge.svg)" in badge
        link = page.get_by_role("textbox", name="This result, on the Hub")
        assert link.input_value() == f"{at.url}?diff=alice/mine&side=b"
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        page.goto(link.input_value())
        page.locator("[data-share][data-dataset='alice/mine']").wait_for(state="attached")
        page.locator("#headline").wait_for()
        assert wrong == []
        page.close()
    assert not kept.exists(), "what visitors took away goes with the app"
