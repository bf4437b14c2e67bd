"""The result view in a real browser: nothing from a report runs, evidence opens by keyboard, filters, pages, phones."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from diffing.errors import SettingError
from diffing.report import save_report
from diffing.report.index import index_of
from diffing.view.result.report_cache import ReportCache
from diffing.view.result.result_components import answer_box, result_view
from diffing.view.result.result_html import style
from tests.outputs.samples import hostile_report, medium_report, merged_report

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Debian's chromium"),
]
LONG = "x" * 9_000 + "<img src=x onerror=window.hit=99>" + "\u202e\x00é" * 300_000


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    gr = pytest.importorskip("gradio", reason="needs the extra app")
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "0"
    root = tmp_path_factory.mktemp("reports")
    medium = medium_report()
    strongest = medium.findings[0].hypothesis
    chosen = next(
        judgement.prompt_id
        for judgement in medium.judgements
        if judgement.hypothesis_id == strongest.id and judgement.verdict.side == strongest.direction
    )
    long = tuple(replace(p, a=replace(p.a, text=LONG)) if p.prompt.id == chosen else p for p in medium.pairs)
    for name, report in {
        "long": replace(medium, pairs=long),
        "merged": merged_report(),
        "hostile": hostile_report(),
        "thousand": medium_report(train=600, heldout=400),
    }.items():
        save_report(report, root / name)

    def find(key: str) -> Path:
        if key not in os.listdir(root):
            raise SettingError(f"There is no result {key}: open another one")
        return root / key

    with gr.Blocks(title="test") as page:
        view = result_view(ReportCache(find), answer_box())

        def first_shown(request: gr.Request) -> Any:
            return view.open(request.query_params.get("key", ""))

        page.load(first_shown, None, list(view.outputs))
    head = f"<style>{style()}</style>"
    _, url, _ = page.launch(prevent_thread_lock=True, ssr_mode=False, quiet=True, run_history=False, head=head)
    yield url
    page.close()


@pytest.fixture(scope="module")
def visitor(browser: Any) -> Iterator[Any]:
    """One for all: what they have loaded of Gradio they need not load again."""
    visitor = browser.new_context()
    yield visitor
    visitor.close()


def opened(visitor: Any, url: str, key: str, width: int = 1280) -> Any:
    page = visitor.new_page()
    page.set_viewport_size({"width": width, "height": 900})
    page.went_wrong = []
    page.on("pageerror", lambda error: page.went_wrong.append(str(error)))
    page.on("dialog", lambda dialog: page.went_wrong.append(dialog.message))
    page.goto(f"{url}?key={key}")
    page.wait_for_selector("#headline")
    page.wait_for_selector("[data-list] [data-shown]")
    return page


def fits(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def test_hostile_text_is_text_wherever_it_is_shown(visitor: Any, url: str) -> None:
    page = opened(visitor, url, "hostile", 390)
    for number in (1, 2, 3):
        page.locator(f"#f{number} summary").first.click()
        page.wait_for_selector(f"#f{number} .example")
    assert fits(page)
    page.set_viewport_size({"width": 1280, "height": 900})
    for tab in ("Methods", "How it was made", "Raw tables"):
        page.get_by_role("tab", name=tab).click()
        page.wait_for_timeout(200)
    page.get_by_text("33 rows; page 1 of 1").wait_for()
    assert fits(page)
    assert page.went_wrong == []
    assert page.evaluate("window.hit") is None
    ours = ".diffing :is(script, img, iframe, base, meta, link, style, object, embed)"
    assert page.locator(ours).count() == 0
    assert page.title() == "test"
    page.close()


def test_evidence_by_keyboard_filters_and_pages(visitor: Any, url: str) -> None:
    page = opened(visitor, url, "merged")
    top = page.locator("#overview .pair:visible")
    top.locator("[role=tab]").first.focus()
    page.keyboard.press("ArrowRight")
    top.get_by_role("button", name="Next pair").focus()
    page.keyboard.press("ArrowRight")
    assert top.get_by_text("2 of 6").is_visible()
    assert top.get_attribute("data-view") == "differs"
    page.locator("#f1 summary").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#f1 .example")
    assert page.locator("#f1 .example").first.locator(".answer").count() == 2
    focus = "document.activeElement.dataset.focus"
    against = page.locator("#f1 [data-group=against]").first
    against.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#f1 [data-group=against][aria-pressed=true]")
    assert page.evaluate(focus) == "against", "the focus stays where it was"
    page.locator("#f1 [data-focus=next]").first.focus()
    page.keyboard.press("Enter")
    page.locator("#f1 .pager").get_by_text("2 of").first.wait_for()
    assert page.evaluate(focus) == "next"
    page.locator("#f1 [role=tab]").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.textContent") == "All that differs"
    assert page.locator("#f1 .pair").first.get_attribute("data-view") == "differs"
    page.locator("#f1 [data-focus=previous]").first.focus()
    page.keyboard.press("ArrowRight")
    page.locator("#f1 .pager").get_by_text("3 of").first.wait_for()
    assert page.locator("#f1 .pair").first.get_attribute("data-view") == "differs", "the view stays from pair to pair"
    page.locator("#f1 input[name=words]").first.fill("SQL join")
    page.wait_for_function("[...document.querySelectorAll('#f1 .said')].every(e => e.textContent.includes('SQL join'))")
    assert page.evaluate(focus) == "words"
    page.locator("#f1 li summary").first.click()
    page.wait_for_selector("#f1 li .example")
    praise = next(e.number for e in index_of(merged_report()).entries if "praise" in e.lead.hypothesis.text)
    page.locator(f"#f{praise} summary").first.click()
    page.locator(f"#f{praise} .example").first.wait_for()
    page.select_option(f"#f{praise} select[name=split] >> nth=0", "train")  # quotes are from train pairs
    page.wait_for_selector(f"#f{praise} mark:has-text('Great question!')")
    page.close()


def test_findings_are_filtered_and_links_lead_to_them(visitor: Any, url: str) -> None:
    page = opened(visitor, url, "merged", 1100)
    edges = "list => [list, list.parentElement].map(each => each.getBoundingClientRect().right)"
    rows, place = page.locator("ol.lines").first.evaluate(edges)
    assert rows <= place, "the last columns are cut off"
    assert page.locator("#findings-head").text_content() == "5\N{NO-BREAK SPACE}confirmed differences"
    page.fill("[data-filters] [name=words]", "in conclusion")
    page.get_by_text("1 of 10 shown").wait_for()
    page.get_by_text("No difference fits these filters").wait_for()
    page.locator("[data-fold] > summary").click()
    page.wait_for_selector("[data-fold] .line")
    assert page.locator(".line").count() == 1
    page.get_by_role("button", name="Clear them").click()
    page.wait_for_function("document.querySelectorAll('.line').length === 5")
    page.select_option("[data-filters] [name=where]", label="coding")
    page.locator(".slice").first.wait_for()
    page.select_option("[data-filters] [name=direction]", "a")
    page.wait_for_function("document.querySelector('#f1') === null")
    page.locator(".say a").first.click()
    page.wait_for_selector("#f1 details[open] .example")
    page.get_by_role("tab", name="Features").click()
    page.get_by_text("This run used no sparse autoencoder").wait_for()
    page.get_by_role("tab", name="Findings").click()
    page.locator("#map tbody tr").nth(1).locator("a[data-where]").first.click()
    page.wait_for_selector("#f2 details[open] .example")
    page.locator(".slice").first.wait_for()
    where = page.locator("[data-filters] [name=where]").input_value()
    assert where == page.locator("#f2 select[name=kind]").first.input_value() != "", "the pairs are of that kind too"
    assert page.went_wrong == []
    page.close()


def test_a_folded_part_is_fetched_when_it_is_opened(visitor: Any, url: str) -> None:
    page = opened(visitor, url, "merged")
    assert page.locator(".line").count() == 5
    page.locator("[data-fold] > summary").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelectorAll('.line').length === 10")
    assert page.locator("[data-fold] .why").first.is_visible()
    page.locator("[data-fold] .line summary").first.click()
    page.wait_for_selector("[data-fold] .line .example")
    assert page.went_wrong == []
    page.close()


def test_a_response_of_a_million_characters_is_cut_and_goes_on_by_a_button(visitor: Any, url: str) -> None:
    page = opened(visitor, url, "long", 390)
    page.locator("#f1 summary").first.click()
    page.fill("#f1 input[name=words]", "onerror=window")
    more = page.locator("#f1 .answer.a .more-text").first
    more.wait_for(state="attached")
    page.locator("#f1 .answer.a .unfold").click()
    assert more.text_content() == f"Show {len(LONG) - 4_000:,}\N{NO-BREAK SPACE}more characters"
    more.click()
    page.wait_for_function("document.querySelector('#f1 .answer.a .text').textContent.length > 20000")
    text = page.locator("#f1 .answer.a .text").text_content()
    assert text.startswith(LONG[:24_000].replace("\x00", "␀"))
    assert page.evaluate("window.hit") is None
    assert fits(page)
    page.close()


def test_a_thousand_prompts_open_at_once(visitor: Any, url: str) -> None:
    """Evidence comes when it is asked for, a page at a time; `tests.benchmarks.bench_page` measures the seconds."""
    page = opened(visitor, url, "thousand")
    assert page.locator(".line .example").count() == 0
    page.locator("#f1 summary").first.click()
    page.wait_for_selector("#f1 .example")
    assert page.locator(".example").count() <= 20
    page.close()


def test_what_cannot_be_opened_says_why(visitor: Any, url: str) -> None:
    page = visitor.new_page()
    page.goto(f"{url}?key=%3Cimg%20src%3Dx%20onerror%3Dwindow.hit%3D5%3E")
    page.get_by_role("alert").get_by_text("There is no result <img src=x").wait_for()
    assert page.evaluate("window.hit") is None
    assert page.get_by_role("tab").count() == 0
    page.close()
