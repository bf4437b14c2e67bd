"""From two names to a published result, on alice's own machine: real models, the stock clients, one browser."""

import difflib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from diffing.demo.config import FOLDER
from tests.hub import LocalHub
from tests.view.journeys.looked import look_at, open_page
from tests.view.journeys.world import BASE, TUNED
from tests.view.looks import fits
from tests.view.served import Served, served

pytestmark = pytest.mark.browser
DATASET = "alice/tiny-tuned-vs-tiny-base"


@pytest.fixture
def at(town: LocalHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """The page on alice's machine."""
    monkeypatch.setenv("HF_TOKEN", town.add_user("alice"))
    with served(tmp_path / "site", workers=1) as found:
        yield found


@pytest.mark.usefixtures("quick_apart")
def test_from_two_names_to_a_published_result(at: Served, town: LocalHub, browser: Any) -> None:
    page = open_page(browser)
    page.goto(at.url)
    two_models_are_named(page)
    few_prompts_are_chosen(page)
    page.get_by_role("button", name="Compare", disabled=False).click()
    page.wait_for_url("**/?run=*")
    it_runs(page)
    evidence_is_read_and_findings_are_filtered(page)
    it_is_downloaded(page)
    it_is_published(page, town)
    the_card_gets_what_was_shown(page, town)
    link = f"{at.url}?diff={DATASET}"
    other = page.context.new_page()
    other.goto(link)
    other.locator("#headline").wait_for()
    assert other.locator("#headline").inner_text() == page.locator("#headline").inner_text()
    other.get_by_role("link", name="Gallery").click()
    other.get_by_label("Search by model").fill("tiny")
    other.locator(".part-gallery .diffs a").click()
    other.wait_for_url(link)
    assert page.went_wrong == []
    page.context.close()


def two_models_are_named(page: Any) -> None:
    """The first by a few letters and a suggestion; the second as the card of the first proposes."""
    page.get_by_role("combobox", name="Model A").press_sequentially("tiny-t")
    page.get_by_role("option", name=TUNED).click()
    page.get_by_role("button", name=f"Use {BASE}").click()
    assert page.get_by_role("combobox", name="Model B").input_value() == BASE


def few_prompts_are_chosen(page: Any) -> None:
    """The pair's own; the estimate follows."""
    page.get_by_role("radio", name="A dataset on the Hub").check()
    page.locator("[name=prompts]").fill(str(FOLDER / "prompts.jsonl"))
    page.get_by_role("radio", name="Custom").check()
    page.locator("[name=train]").fill("48")
    page.locator("[name=heldout]").fill("32")
    page.get_by_text("More settings").click()
    page.locator("[name=max_new_tokens]").fill("32")
    page.keyboard.press("Tab")
    page.locator("[data-estimate] tfoot").get_by_text("160", exact=True).wait_for(state="attached")


def it_runs(page: Any) -> None:
    """Progress is shown, and then the result under the same link."""
    page.get_by_role("progressbar").first.wait_for()
    assert look_at(page, "run-running") == []
    page.locator("#headline").wait_for()
    assert "run=" in page.url


def evidence_is_read_and_findings_are_filtered(page: Any) -> None:
    """Both responses stand side by side; what does not fit a filter goes away."""
    page.locator("#f1 summary").first.click()
    page.locator("#f1 .example").first.wait_for()
    assert page.locator("#f1 .example").first.locator(".answer").count() == 2
    before = page.locator("[data-list] [data-shown]").get_attribute("data-shown")
    page.select_option("[data-filters] [name=direction]", "b")
    page.locator(f"[data-list] [data-shown='{before}']").wait_for(state="detached")
    assert page.locator("[data-list] .line").count() > 0
    page.set_viewport_size({"width": 390, "height": 844})
    assert fits(page)
    page.set_viewport_size({"width": 1280, "height": 900})


def it_is_downloaded(page: Any) -> None:
    """All of it."""
    page.get_by_role("button", name="Download").click()
    with page.expect_download() as download:
        page.locator("#share-panel").get_by_role("button", name=".zip").click()
    with zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes())) as archive:
        assert any(name.endswith("/report.json") for name in archive.namelist())


def it_is_published(page: Any, hub: LocalHub) -> None:
    """As a dataset of alice's."""
    page.get_by_role("button", name="All ways to share").click()
    page.get_by_role("button", name="Put on the Hub").click()
    page.get_by_role("textbox", name="Dataset").fill(DATASET)
    page.get_by_role("button", name="Publish").click()
    page.locator("#share-panel").get_by_text("Published", exact=True).wait_for()
    assert "README.md" in hub.repo(DATASET, "dataset").files()


def the_card_gets_what_was_shown(page: Any, hub: LocalHub) -> None:
    """Line by line, and nothing else."""
    before = hub.repo(TUNED).files()["README.md"].decode()
    page.locator("#share-panel").get_by_role("button", name="Write into the model card").click()
    page.get_by_role("radio", name=TUNED).check()
    page.get_by_role("button", name="Show what would change").click()
    page.get_by_role("button", name="Commit to the card").wait_for()
    assert hub.repo(TUNED).files()["README.md"].decode() == before
    shown = [
        (line.locator(".sign").text_content() or "") + (line.locator(".line").text_content() or "")
        for line in page.locator("#share-panel .change > div").all()
    ]
    page.get_by_role("button", name="Commit to the card").click()
    page.get_by_role("heading", name="Written").wait_for()
    after = hub.repo(TUNED).files()["README.md"].decode()
    assert f"datasets/{DATASET}" in after
    assert after.startswith(before)
    assert shown == list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm=""))[2:]
