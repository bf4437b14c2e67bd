"""Every state of the page: light and dark, wide and on a phone, as axe-core, a ruler and a finger find it."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from diffing.config import DiffConfig
from diffing.hub import hub_api
from diffing.outputs.dataset import push_report
from diffing.report.index import index_of
from diffing.view.result.entry_filter import PER_PAGE
from diffing.view.runs.run_state import ProgressSnapshot
from tests.hub import LocalHub
from tests.outputs.states import STATES
from tests.view.gallery.cards import publish_card
from tests.view.journeys.looked import look_at, open_page
from tests.view.journeys.world import BASE, FOUND, STAGES, TUNED, finished, keep
from tests.view.looks import fits, picture
from tests.view.served import Served, served
from tests.waiting import DEADLINE

pytestmark = pytest.mark.browser
_SHOWN = ".diffing-tabs [role=tabpanel]:not([style*=none])"
"""The tab that is open."""


@pytest.fixture(scope="module")
def at(town: LocalHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The page on a machine of alice's own, with a finished run, one that was stopped and one that failed."""
    folder = tmp_path_factory.mktemp("states")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_TOKEN", town.add_user("alice"))
        keep(folder, "kept", "done", report=finished())
        keep(folder, "stopped", "stopped", told=ProgressSnapshot(STAGES, FOUND))
        keep(folder, "failed", "failed", told=ProgressSnapshot(STAGES, ()))
        with served(folder, workers=0) as found:
            yield found


def test_the_start_page(at: Served, browser: Any) -> None:
    page = open_page(browser)
    page.goto(at.url)
    page.get_by_text("Enter both models").wait_for()
    wrong = look_at(page, "start-empty")
    page.get_by_role("combobox", name="Model A").press_sequentially("tiny")
    page.get_by_role("option", name=TUNED).wait_for()
    wrong += look_at(page, "start-suggestions", ".part-start")
    page.get_by_role("combobox", name="Model A").fill(TUNED)
    page.keyboard.press("Tab")
    page.get_by_role("button", name=f"Use {BASE}").wait_for()
    wrong += look_at(page, "start-base-proposed", ".part-start")
    page.get_by_role("button", name=f"Use {BASE}").click()
    page.get_by_text("What this takes, stage by stage").wait_for()
    wrong += look_at(page, "start-estimated", ".part-start")
    for summary in page.locator(".part-start summary").all():
        summary.click()
    page.locator("input[name=method][value=llm]").check()
    page.locator("input[name=method][value=sae]").check()
    page.locator("[data-said]").get_by_text("LLM").wait_for()
    wrong += look_at(page, "start-problem", ".part-start")
    assert not (page.went_wrong + wrong), "\n".join(page.went_wrong + wrong)
    page.context.close()


def test_the_page_of_a_run(at: Served, browser: Any) -> None:
    page = open_page(browser)
    queued = at.site.run_manager.start(DiffConfig(model_a=BASE, model_b=TUNED), owner="somebody")
    wrong: list[str] = []
    for name, run in (("queued", queued), ("stopped", "stopped"), ("failed", "failed")):
        page.goto(f"{at.url}?run={run}")
        page.get_by_role("button", name="Stop" if name == "queued" else "Resume").wait_for()
        wrong += look_at(page, f"run-{name}")
    page.goto(f"{at.url}?run=none")
    page.get_by_role("alert").get_by_text("There is no such run").wait_for()
    wrong += look_at(page, "notice")
    assert not (page.went_wrong + wrong), "\n".join(page.went_wrong + wrong)
    page.context.close()


@pytest.mark.slow
def test_the_result(at: Served, browser: Any) -> None:
    page = open_page(browser)
    page.goto(f"{at.url}?run=kept")
    page.locator("[data-list] [data-shown]").wait_for()
    wrong = look_at(page, "result-findings")
    page.locator("#f1 summary").first.click()
    page.locator("#f1 .example").first.wait_for()
    wrong += look_at(page, "result-evidence", "#f1")
    page.locator("#f1 [role=tab][data-view=differs]").first.click()
    wrong += look_at(page, "result-all-that-differs", "#f1")
    page.locator("#f1 [role=tab][data-view=prompt]").first.click()
    wrong += look_at(page, "result-prompt", "#f1")
    page.locator("#map td a").last.click()
    page.locator(".slice").first.wait_for()
    wrong += look_at(page, "result-filtered", "#map, [data-filters]")
    tabs = {
        "Methods": ".diffing-methods table",
        "How it was made": ".diffing-how table",
        "Raw tables": "table",
        "Features": ".figure.scatter",  # the last: axe-core goes through what is hidden too, and its lists are long
    }
    for tab, shown in tabs.items():
        page.get_by_role("tab", name=tab).first.click()
        page.locator(f"[role=tabpanel]:visible {shown}").first.wait_for()
        wrong += look_at(page, f"result-{tab.lower().replace(' ', '-')}", _SHOWN)
    assert not (page.went_wrong + wrong), "\n".join(page.went_wrong + wrong)
    page.context.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", STATES)
def test_a_rare_result(name: str, at: Served, browser: Any) -> None:
    report = STATES[name]()
    keep(at.site.settings.folder, name, "done", report=report)
    page = open_page(browser)
    page.goto(f"{at.url}?run={name}")
    page.locator("[data-list] [data-shown]").wait_for()
    assert page.locator(".say").count() == min(len(index_of(report).differences), 3)
    assert page.locator("[data-part=differences] > .lines > .line").count() == min(
        len(index_of(report).differences), PER_PAGE
    )
    wrong = look_at(page, f"result-{name}", "#overview, [data-list]")
    assert not (page.went_wrong + wrong), "\n".join(page.went_wrong + wrong)
    page.context.close()


@pytest.mark.slow
def test_a_result_that_is_still_being_opened(at: Served, browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that was not asked for is shown meanwhile, and what comes stands in the same page."""
    go, opened = Event(), at.site.report_cache.open
    monkeypatch.setattr(at.site.report_cache, "open", lambda key: (go.wait(DEADLINE), opened(key))[1])
    page = open_page(browser)
    try:
        page.goto(f"{at.url}?run=kept")
        page.get_by_role("status", name="Loading").wait_for()
        page.wait_for_timeout(700)
        picture(page, "result-loading-light-1280")
        assert page.locator("#start-model_a:visible, .say").count() == 0
        assert fits(page)
    finally:
        go.set()
    page.locator("#headline").wait_for()
    page.get_by_role("status", name="Loading").wait_for(state="hidden")
    assert not page.went_wrong, page.went_wrong
    page.context.close()


@pytest.mark.slow
def test_the_panels_above_a_result(at: Served, browser: Any) -> None:
    page = open_page(browser)
    page.goto(f"{at.url}?run=kept")
    wrong: list[str] = []
    page.locator(".action.main").click()
    page.locator("#share-panel .picture").wait_for()
    wrong += look_at(page, "share", ".share")
    for panel, shown in (("Download", ".zip"), ("Hub", "Publish"), ("model card", "Show what")):
        page.locator("#share-panel").get_by_role("button", name=panel).click()
        page.locator("#share-panel").get_by_role("button", name=shown).first.wait_for()
        wrong += look_at(page, f"share-{panel.lower().replace(' ', '-')}", ".share")
        page.get_by_role("button", name="All ways to share").click()
        page.locator("#share-panel .picture").wait_for()
    page.locator("#share-panel").get_by_role("button", name="model card").click()
    page.get_by_role("button", name="Show what would change").click()
    page.get_by_role("button", name="Commit to the card").wait_for()
    wrong += look_at(page, "share-card-preview", ".share")
    framed = page.request.get(f"{at.url}?embed=1&run=kept").text()
    page.goto("about:blank")
    page.set_content(framed)  # without its policy, which would keep axe-core out too
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        wrong += look_at(page, f"embed-{theme}")
    assert not (page.went_wrong + wrong), "\n".join(page.went_wrong + wrong)
    page.context.close()


def test_the_gallery(at: Served, town: LocalHub, browser: Any, tmp_path: Path) -> None:
    push_report(finished(), "alice/tiny-diff", api=hub_api(town.add_user("alice")))
    for number in range(4):
        publish_card(town, tmp_path / "card", f"alice/old-{number}", ("org/base", f"org/tuned-{number}"), prompts=660)
    page = open_page(browser)
    page.goto(f"{at.url}?gallery=")
    page.get_by_role("link", name="tiny-tuned").wait_for()
    wrong = look_at(page, "gallery")
    page.get_by_label("Search by model").fill("none of these")
    page.get_by_role("button", name="Show all").wait_for()
    wrong += look_at(page, "gallery-nothing-found", ".part-gallery")
    town.faults.add("GET", "/api/datasets$", 503)
    page.get_by_label("Search by model").fill("org/none")
    page.get_by_role("button", name="Try again").wait_for()
    wrong += look_at(page, "gallery-problem", ".part-gallery")
    assert not (page.went_wrong + wrong), "\n".join(page.went_wrong + wrong)
    page.context.close()
