"""The essentials by keyboard alone: what has the focus can always be seen, and it is never lost."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.hub import LocalHub
from tests.view.journeys.looked import NARROW, open_page, settle
from tests.view.journeys.world import BASE, TUNED, finished, keep
from tests.view.looks import fits
from tests.view.served import Served, served
from tests.waiting import DEADLINE

pytestmark = pytest.mark.browser
_FOCUS = """() => {
  const at = document.activeElement;
  if (at === null || at === document.body) return "nothing has the focus";
  const seen = [at, at.parentElement, at.closest("label")].filter(Boolean).some((each) => {
    const style = getComputedStyle(each);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  });
  const box = at.getBoundingClientRect();
  if (box.bottom <= 0 || box.top >= innerHeight) return `out of sight: ${at.outerHTML.slice(0, 120)}`;
  // a heading that was gone to is where one reads on: it is not a control
  return seen || at.matches("[tabindex='-1']") ? "" : `not to be seen: ${at.outerHTML.slice(0, 120)}`;
}"""
_AT = "(selector) => document.activeElement.matches(selector)"


@pytest.fixture(scope="module")
def at(town: LocalHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The page on alice's machine, with a finished run; nothing is computed."""
    folder = tmp_path_factory.mktemp("keyboard")
    keep(folder, "kept", "done", report=finished())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_TOKEN", town.add_user("alice"))
        with served(folder, workers=0) as found:
            yield found


def seen(page: Any, key: str) -> None:
    """What is pressed may be disabled while it is done; then the focus has to come back."""
    end = time.monotonic() + DEADLINE
    while (lost := page.evaluate(_FOCUS)) and time.monotonic() < end:
        page.wait_for_timeout(50)
    assert lost == "", f"after {key}: {lost}"


def press(page: Any, key: str) -> None:
    """Presses a key; the focus is then somewhere, and to be seen."""
    page.keyboard.press(key)
    seen(page, key)


def to(page: Any, selector: str, key: str = "Tab", most: int = 60) -> None:
    """Presses a key until what is looked for has the focus."""
    for _ in range(most):
        press(page, key)
        if page.evaluate(_AT, selector):
            return
    pytest.fail(f"{key} does not lead to {selector}")


def test_two_models_are_named_and_a_run_begun(at: Served, browser: Any) -> None:
    page = open_page(browser)
    page.goto(at.url)
    page.get_by_text("Enter both models").wait_for()
    press(page, "Tab")
    assert page.evaluate(_AT, ".skip"), "the first is the way to the content"
    press(page, "Enter")
    to(page, "[data-theme-switch]", key="Shift+Tab")
    press(page, "Enter")
    assert page.evaluate("document.body.classList.contains('dark')")
    page.reload()
    page.get_by_text("Enter both models").wait_for()
    page.wait_for_function("document.body.classList.contains('dark')")
    to(page, "#start-model_a")
    page.keyboard.type("tiny-t")
    page.get_by_role("option", name=TUNED).wait_for()
    press(page, "ArrowDown")
    press(page, "Enter")
    page.get_by_role("button", name=f"Use {BASE}").wait_for()
    to(page, "[data-accept]")
    press(page, "Enter")
    page.get_by_text("What this takes, stage by stage").wait_for()
    assert page.locator("#start-model_b").input_value() == BASE
    to(page, "[name=size]")
    press(page, "ArrowLeft")
    page.locator("[data-estimate] tfoot").get_by_text("300", exact=True).wait_for(state="attached")
    to(page, "[data-begin]")
    press(page, "Enter")
    page.wait_for_url("**/?run=*")
    page.get_by_role("button", name="Stop").wait_for()
    to(page, "[data-act=stop]")
    press(page, "Enter")
    page.get_by_role("button", name="Resume").wait_for()
    seen(page, "stopping")
    assert page.went_wrong == []
    page.context.close()


def test_evidence_filters_and_a_card(at: Served, browser: Any) -> None:
    page = open_page(browser)
    page.goto(f"{at.url}?run=kept")
    page.locator("[data-list] [data-shown]").wait_for()
    to(page, ".action[data-panel=share]")
    press(page, "Enter")
    page.wait_for_function(_AT, arg="#share-panel [data-title]")
    to(page, "#share-panel [data-panel=card]")
    press(page, "Enter")
    page.wait_for_function(f"() => ({_AT})('#share-panel [data-title]') && document.querySelector('[data-about=card]')")
    to(page, "[type=radio][name=model]")
    press(page, "Space")
    to(page, "[type=submit]")
    press(page, "Enter")
    page.wait_for_function(_AT, arg="[data-result] [data-title]")
    to(page, "[data-write=pr]")
    press(page, "Escape")
    assert page.evaluate(_AT, ".action[data-panel=share]"), "back where the panel was opened"

    to(page, "[role=tab]")
    press(page, "ArrowRight")
    press(page, "ArrowLeft")
    to(page, "[data-filters] [name=method]")
    press(page, "s")
    page.locator("[data-list] [data-shown$=' shown']").wait_for()
    assert page.evaluate(_AT, "[data-filters] [name=method]")
    to(page, "[data-list] summary")
    press(page, "Enter")
    page.locator("[data-list] .example").first.wait_for()
    to(page, "[data-group=neither]")
    press(page, "Enter")
    page.locator("[data-group=neither][aria-pressed=true]").wait_for()
    assert page.evaluate(_AT, "[data-group=neither]")
    to(page, "[data-evidence] [data-focus=next]", most=90)
    press(page, "Enter")
    page.locator("[data-evidence] .pager").get_by_text("2 of").first.wait_for()
    assert page.evaluate(_AT, "[data-evidence] [data-focus=next]")
    assert page.went_wrong == []
    page.context.close()


def test_what_is_shown_stands_in_the_address_and_can_be_gone_back_from(at: Served, browser: Any) -> None:
    page = open_page(browser)
    page.goto(f"{at.url}?run=kept")
    page.locator("#map").wait_for()
    to(page, "[data-filters] [name=where]", most=90)
    press(page, "ArrowDown")
    page.wait_for_function("location.search.includes('where=')")
    filtered = page.url
    page.locator(".slice").first.wait_for()
    to(page, "[data-list] details.row > summary")
    press(page, "Enter")
    page.locator("[data-list] .example").first.wait_for()
    page.wait_for_function("location.search.includes('finding=')")
    link = page.url
    to(page, ".pair [role=tab]")
    press(page, "ArrowRight")
    assert page.evaluate(_AT, "[data-view=differs][aria-selected=true]")
    press(page, "End")
    assert page.locator("[data-list] .pair").get_attribute("data-view") == "prompt"
    page.go_back()
    page.locator("[data-list] details.row[open]").wait_for(state="detached")
    assert page.url == filtered
    page.go_back()
    page.locator(".slice").first.wait_for(state="detached")
    assert page.url == f"{at.url}?run=kept"
    page.go_forward()
    page.locator(".slice").first.wait_for()
    page.goto(link)
    page.locator("[data-list] details.row[open] .example").first.wait_for()
    assert page.locator(".slice").count() > 0, "the link keeps the filter too"
    page.goto(f"{at.url}?run=kept&finding=gone&side=none&where=%3Cimg%20src=x%3E")
    page.get_by_text("There is no such finding in this result any more").wait_for()
    page.locator("#map tbody td a").first.focus()
    press(page, "ArrowDown")
    press(page, "ArrowRight")
    press(page, "Enter")
    page.locator("[data-list] details.row[open] .example").first.wait_for()
    assert "&where=" in page.url
    assert "&finding=" in page.url
    assert page.went_wrong == []
    page.context.close()


@pytest.mark.slow
def test_the_example_fits_its_screens(at: Served, browser: Any) -> None:
    """Unscrolled the answer and a marked pair; in the list twelve rows; on a phone all of it is under 6,000 pixels."""
    page = open_page(browser)
    page.goto(f"{at.url}?example=planted")
    page.locator("#map").wait_for()
    box = page.locator("#overview .pair:not([hidden])").bounding_box()
    assert box["y"] + box["height"] < 900
    assert page.locator("#overview .pair:not([hidden]) mark").first.is_visible()
    heights = page.evaluate("[...document.querySelectorAll('.line')].slice(0, 12).map((each) => each.offsetHeight)")
    assert sum(heights) < 900
    page.set_viewport_size(NARROW)
    settle(page)
    assert page.evaluate("document.documentElement.scrollHeight") < 6_000
    assert fits(page)
    page.locator("#f3 summary").first.click()
    page.locator("#f3 [role=tab][data-view=differs]").click()
    assert fits(page)
    widths = page.evaluate("[...document.querySelectorAll('#f3 .pair .answer')].map((each) => each.offsetWidth)")
    assert all(width > 250 for width in widths), "both sides can be read on a phone"
    assert page.went_wrong == []
    page.context.close()
