"""Hostile text wherever others' text is shown by the served page: it stays text, and nothing else happens."""

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from diffing.view.runs.run_state import EarlyHypothesis, ProgressSnapshot, StageProgress
from tests.hostile import CORE, CORPUS, corpus_report
from tests.hub import LocalHub
from tests.view.gallery.cards import publish_card
from tests.view.journeys.looked import NARROW, open_page, settle
from tests.view.journeys.world import keep
from tests.view.looks import fits
from tests.view.served import Served, served

pytestmark = pytest.mark.browser
_FOREIGN = (
    ".diffing :is(script, iframe, base, meta, link, style, object, embed, video, math, template, slot), "
    '.diffing img:not([src^="link-preview.png?"], [src^="badge.svg?"])'
)
"""Elements that no template of ours holds."""
_ARRIVED = """(query) => new Promise((done) => {
  document.addEventListener("diffing-arrived", () => setTimeout(done, 30), { once: true });
  document.dispatchEvent(new CustomEvent("diffing-go", { detail: query }));
})"""
IMG = CORE["img onerror"]


@pytest.fixture(scope="module")
def at(town: LocalHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The page on a machine of alice's own, whose runs and whose Hub are full of hostile text."""
    folder = tmp_path_factory.mktemp("hostile")
    texts = tuple(CORPUS.values())
    found = tuple(
        EarlyHypothesis(IMG if n % 9 == 0 else "lexical", text, "ab"[n % 2], text) for n, text in enumerate(texts)
    )
    stages = (StageProgress("responses a", 3, 3, 0.0), *(StageProgress(text, 1, 3, 9.0) for text in CORE.values()))
    keep(folder, "kept", "done", report=corpus_report())
    for number, models in enumerate(((IMG, CORE["template literal"]), (CORE["script"], CORE["no spaces"]))):
        keep(folder, f"evil-{number}", "stopped", told=ProgressSnapshot(stages, found), models=models)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_TOKEN", town.add_user("alice"))
        with served(folder, workers=0) as site:
            yield site


def untouched(page: Any) -> None:
    """Nothing ran, nothing of theirs became an element, and the page fits a phone."""
    assert page.went_wrong == []
    assert page.evaluate("window.hit") is None
    assert page.locator(_FOREIGN).count() == 0
    assert page.title().endswith("diffing")
    if not fits(page):
        page.set_viewport_size(NARROW)
        assert fits(page)


@pytest.mark.slow
def test_a_result(at: Served, browser: Any) -> None:
    page = open_page(browser)
    page.set_viewport_size(NARROW)
    page.goto(f"{at.url}?run=kept")
    page.locator("[data-list] [data-shown]").wait_for()
    while True:
        untouched(page)
        entry = page.locator("[data-list] details[data-finding]").first
        entry.locator("summary").first.click()
        entry.locator(".example").first.wait_for()
        for view in ("prompt", "differs"):
            entry.locator(f"[role=tab][data-view={view}]").first.click()
        untouched(page)
        following = page.locator("[data-list] [data-part=differences] > .pager [data-focus=next]")
        if following.count() == 0 or following.is_disabled():
            break
        first = entry.locator("xpath=ancestor::li[1]").get_attribute("id")
        following.click()
        page.locator(f"#{first}").wait_for(state="detached")
    for place in range(1, page.locator("[data-filters] [name=where] option").count(), 4):
        page.select_option("[data-filters] [name=where]", index=place)
        settle(page)
        untouched(page)
    page.locator("#map td a").first.click()
    page.locator("[data-list] details.row[open] .example").first.wait_for()
    untouched(page)
    page.reload()
    page.locator("[data-list] details.row[open] .example").first.wait_for()
    untouched(page)
    page.set_viewport_size({"width": 1280, "height": 900})
    for tab, shown in {
        "Features": ".diffing-features :is(p, h2)",
        "Methods": ".diffing-methods table", "How it was made": ".diffing-how table", "Raw tables": "table",
    }.items():  # fmt: skip
        page.get_by_role("tab", name=tab).first.click()
        page.locator(f"[role=tabpanel]:visible {shown}").first.wait_for()
        untouched(page)
    page.locator(".action[data-panel=share]").click()
    for panel in ("share", "download", "share", "push", "share", "card"):
        if panel != "share" or page.locator("#share-panel [data-panel=share]").count():
            page.locator(f"#share-panel [data-panel={panel}]").click()
        page.locator("#share-panel [data-title]").wait_for()
        page.wait_for_function("(it) => document.querySelector('#share-panel').dataset.about === it", arg=panel)
        untouched(page)
    page.goto(f"{at.url}?embed=1&run=kept")
    assert page.locator("li.line").count() == 12
    assert page.evaluate("window.hit") is None
    assert page.locator(_FOREIGN).count() == 0
    assert page.went_wrong == []
    page.set_viewport_size(NARROW)
    assert fits(page)
    page.context.close()


def test_models_of_the_hub_runs_and_the_gallery(at: Served, town: LocalHub, browser: Any, tmp_path: Path) -> None:
    card = tmp_path / "model"
    card.mkdir()
    for number, text in enumerate((IMG, CORE["template literal"], CORE["script that closes ours"].replace("/", ""))):
        (card / "README.md").write_text(f"---\nbase_model: {text!r}\n---\n", encoding="utf-8")
        town.push_folder(f"evil/{number}{text}", card)
        town.push_folder(f"evil/plain-{number}", card)
    for number, text in enumerate(text for text in CORE.values() if "\ud800" not in text):
        models = (text, f"org/{text}")
        publish_card(town, tmp_path / "diff", f"evil/{number}", models, prompts=text, findings=number, confirmed=text)
    page = open_page(browser)
    page.set_viewport_size(NARROW)
    page.goto(at.url)
    page.get_by_role("combobox", name="Model A").press_sequentially("evil")
    page.get_by_role("option").first.wait_for()
    untouched(page)
    for number in range(3):
        page.get_by_role("combobox", name="Model A").fill(f"evil/plain-{number}")
        page.keyboard.press("Tab")
        page.locator("[data-places=a] .place").first.wait_for()
        untouched(page)
    page.goto(f"{at.url}?gallery=")
    page.locator(".part-gallery .diffs a").first.wait_for()
    untouched(page)
    for number in range(2):
        page.goto(f"{at.url}?run=evil-{number}")
        page.get_by_role("button", name="Resume").wait_for()
        untouched(page)
    page.context.close()


@pytest.mark.slow
def test_addresses(at: Served, browser: Any) -> None:
    page = open_page(browser)
    page.set_viewport_size(NARROW)
    page.goto(f"{at.url}?run={quote(IMG)}")
    page.get_by_role("alert").wait_for()
    kinds = cycle(("run=", "diff=", "a=", "gallery=", "example=", "b=org/name&a=", ""))
    attacks = [text for text in CORPUS.values() if "hit=" in text][::2]
    for text, kind in zip(attacks, kinds, strict=False):
        page.evaluate(_ARRIVED, kind + quote(text, errors="replace"))
        assert page.evaluate("window.hit") is None, text
    untouched(page)
    for kind in ("diff=", "a=", "gallery="):
        page.goto(f"{at.url}?{kind}{quote(IMG)}")
        page.locator(".part h1:visible").first.wait_for()
        untouched(page)
    page.context.close()
