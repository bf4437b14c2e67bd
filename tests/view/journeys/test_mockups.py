"""Every picture of the design's mock-ups has its counterpart of the same name in the folder of DIFFING_SCREENSHOTS."""

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from diffing.report import load_report
from diffing.report.index import index_of
from diffing.view.examples import example_folder
from diffing.view.runs import PUBLIC, LivePair, RunState, StageProgress
from diffing.view.zero.gpu_refusals import refusal
from tests.hub import LocalHub
from tests.outputs.states import STATES
from tests.view.examples.pictures import card_page
from tests.view.journeys.looked import NARROW, WIDE, open_page, settle
from tests.view.journeys.world import BASE, FOUND, TUNED, keep
from tests.view.looks import fits, picture
from tests.view.served import Served, served

pytestmark = [pytest.mark.browser, pytest.mark.slow]
_MOCKUPS = Path("../shared/mockups/pictures")
_IN_VIEW = ("result_open", "result_share", "state_llm")
"""Pictures of what is in view, and not of the whole page."""
_STAGES = (StageProgress("responses a", 231, 654, 38.0), StageProgress("responses b", 181, 654, 44.0))
_QUOTA = refusal("ZeroGPU quota exceeded", "60s requested vs. 0s left. Try again in 9:12:30")


def _few() -> Any:
    """The planted example with three of its differences."""
    report = load_report(example_folder("planted"), token=False)
    kept = {entry.lead.hypothesis.id for entry in index_of(report).differences[:3]}
    findings = tuple(replace(each, confirmed=each.hypothesis.id in kept) for each in report.findings)
    return replace(report, findings=findings, merged=())


def _answers() -> tuple[LivePair, ...]:
    pairs = load_report(example_folder("planted"), token=False).pairs[:3]
    first = LivePair(pairs[0].prompt.text, pairs[0].a.text, None)
    return (first, *(LivePair(each.prompt.text, each.a.text, each.b.text) for each in pairs[1:]))


@pytest.fixture(scope="module")
def at(town: LocalHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A Space on which one run is under way and one has used up its quota."""
    folder = tmp_path_factory.mktemp("mockups")
    for name in ("llm", "long-names", "other-scripts"):
        keep(folder, name, "done", report=STATES[name]())
    keep(folder, "few", "done", report=_few())
    for name in ("answering", "quota"):
        keep(folder, name, "stopped")
    with served(folder, workers=0, rules=PUBLIC) as found, pytest.MonkeyPatch.context() as patch:
        manager = found.site.run_manager
        shown = {
            "answering": RunState("running", stages=_STAGES, found=FOUND, latest=_answers()),
            "quota": RunState("failed", stages=_STAGES, found=FOUND, reason=str(_QUOTA)),
        }
        known = manager.state
        patch.setattr(manager, "state", lambda run_id: shown.get(run_id) or known(run_id))
        yield found


def _opened(page: Any, at: Served, query: str) -> None:
    page.goto(f"{at.url}?{query}")
    page.locator("#headline").wait_for()
    page.locator("[data-list] [data-shown], [data-list] details.row, #overview").first.wait_for()


def _result(page: Any, at: Served) -> None:
    _opened(page, at, "example=planted")
    page.locator("#map").wait_for()
    assert page.locator("#overview .pair:visible mark").count()


def _null(page: Any, at: Served) -> None:
    _opened(page, at, "example=itself")
    assert page.locator("#headline").inner_text().startswith("No difference between")
    page.locator("[data-fold] .line, [data-list] .line").first.wait_for()


def _kept(run: str) -> Callable[[Any, Served], None]:
    return lambda page, at: _opened(page, at, f"run={run}")


def _row_open(page: Any, at: Served) -> None:
    _result(page, at)
    page.locator("#f3 summary").first.click()
    page.locator("#f3 .example").first.wait_for()
    page.locator("#f3").scroll_into_view_if_needed()
    page.evaluate("document.querySelector('#findings-head').scrollIntoView()")


def _word_diff(page: Any, at: Served) -> None:
    _result(page, at)
    page.locator("#overview .pair:visible [data-view=differs]").click()
    assert page.locator("#overview .pair:visible .answer.b u").first.is_visible()


def _shared(page: Any, at: Served) -> None:
    _result(page, at)
    page.locator(".action.main").click()
    page.locator("#share-panel .picture").evaluate("(it) => it.decode()")


def _judged(page: Any, at: Served) -> None:
    _opened(page, at, "run=llm")
    line = page.locator(".line", has=page.locator(".tag", has_text="LLM")).first
    line.locator("summary").first.click()
    line.locator(".example").first.wait_for()
    page.evaluate("document.querySelector('#findings-head').scrollIntoView()")


def _run(run: str, shown: str) -> Callable[[Any, Served], None]:
    def go(page: Any, at: Served) -> None:
        page.goto(f"{at.url}?run={run}")
        page.get_by_text(shown).first.wait_for()
        assert page.locator("[data-region=steps] [role=progressbar]").count()

    return go


def _named(a: str, b: str, shown: str) -> Callable[[Any, Served], None]:
    def go(page: Any, at: Served) -> None:
        page.goto(at.url)
        page.get_by_text("Enter both models").wait_for()
        for side, name in (("A", a), ("B", b)):
            page.get_by_role("combobox", name=f"Model {side}").fill(name)
            page.keyboard.press("Tab")
        page.get_by_text(shown).first.wait_for()

    return go


def _elsewhere(page: Any, at: Served) -> None:
    """The link's preview as a chat shows it, and the section of a model's card on light and dark pages."""
    image = page.request.get(f"{at.url}link-preview.png?example=planted").body()
    first = page.request.get(f"{at.url}?example=planted").text()
    title = first.partition('property="og:title" content="')[2].partition('"')[0]
    assert title
    drawn = f"<img alt='' src='data:image/png;base64,{base64.b64encode(image).decode()}' style='width: {{}}px'>"
    report = load_report(example_folder("planted"), token=False)
    card = card_page(report)
    dark = f"<div style='background: #0b0f19; color: #ddd; padding: 1px 2.5rem; margin: 0 -2.5rem'>{card}</div>"
    page.set_content(f"{drawn.format(860)}<p>{drawn.format(352)}<br><b>{title}</b></p>{card}{dark}")


def _picture(page: Any, at: Served) -> None:
    page.set_viewport_size({"width": 1200, "height": 630})
    page.goto(f"{at.url}link-preview.png?example=planted")
    assert page.locator("img").evaluate("(it) => [it.naturalWidth, it.naturalHeight]") == [1200, 630]


FILLED = _named(TUNED, f"https://huggingface.co/{BASE}/tree/main", "Free, ")
COUNTERPARTS: Mapping[str, Callable[[Any, Served], None]] = {
    "og": _picture,
    "progress_1280_l": _run("answering", "Answers as they come"),
    "progress_390_l": _run("answering", "Answers as they come"),
    "progress_quota_1280_d": _run("quota", "Your ZeroGPU quota is used up"),
    "result_1280_d": _result,
    "result_1280_l": _result,
    "result_390_l": _result,
    "result_open_1280_l": _row_open,
    "result_share_1280_l": _shared,
    "result_worddiff_1280_l": _word_diff,
    "share_1280_l": _elsewhere,
    "start_390_l": FILLED,
    "start_errors_1280_l": _named("carol base", "bob/typo", "A model is named org/name"),
    "start_filled_1280_l": FILLED,
    "state_few_1280_l": _kept("few"),
    "state_llm_1280_d": _judged,
    "state_long_390_l": _kept("long-names"),
    "state_null_1280_l": _null,
    "state_rtl_1280_l": _kept("other-scripts"),
}
"""What brings a page to what a mock-up's picture shows, by the picture's name, which ends with width and theme."""


@pytest.mark.skipif(not _MOCKUPS.is_dir(), reason="needs ../shared/mockups")
def test_every_mockup_has_a_counterpart() -> None:
    assert {path.stem for path in _MOCKUPS.glob("*.png")} == set(COUNTERPARTS)


@pytest.mark.parametrize("name", COUNTERPARTS)
def test_a_counterpart(name: str, at: Served, browser: Any) -> None:
    page = open_page(browser)
    page.set_viewport_size(NARROW if "_390_" in name else WIDE)
    COUNTERPARTS[name](page, at)
    page.evaluate("(dark) => document.body.classList.toggle('dark', dark)", name.endswith("_d"))
    settle(page)
    assert fits(page)
    picture(page, name, whole=not name.startswith(_IN_VIEW))
    assert page.went_wrong == []
    page.context.close()
