"""The page in a real browser: nothing from outside runs, nothing is fetched, it fits a phone, it sorts and filters."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from diffing.outputs.html import write_html
from diffing.outputs.html.page import page_of
from diffing.report.index import index_of
from tests.outputs.samples import HOSTILE, SAMPLES, medium_report

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Debian's chromium"),
]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    return {name: write_html(make(), folder / f"{name}.html") for name, make in SAMPLES.items()}


def opened(browser: Any, path: Path, width: int = 1280) -> tuple[Any, list[str]]:
    """The page, and all that went wrong on it so far."""
    wrong: list[str] = []
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.on("console", lambda message: wrong.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: wrong.append(dialog.message))
    page.on("request", lambda request: wrong.append(request.url) if request.url != path.as_uri() else None)
    page.goto(path.as_uri())
    return page, wrong


@pytest.mark.parametrize(
    ("name", "widths"),
    [
        ("medium", (390,)),
        ("merged", (390,)),
        ("scoped", (390, 1280)),
        ("lines", (390, 1280)),
        ("hostile", (390, 1280)),
        ("quiet", (1280,)),
        ("empty", (390,)),
    ],
)
def test_nothing_runs_nothing_is_fetched_and_it_fits(
    name: str, widths: tuple[int, ...], browser: Any, pages: dict[str, Path]
) -> None:
    page, wrong = opened(browser, pages[name], widths[0])
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    for width in widths:
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(200)
        assert wrong == []
        assert page.evaluate("window.hit") is None
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.locator("iframe, object, embed, base, main script, main style, main img").count() == 0
    if name != "empty":
        assert page.locator(".line:visible").count() == len(SAMPLES[name]().merged or SAMPLES[name]().findings)
    page.close()


def test_hostile_text_is_shown_as_the_text_it_is(browser: Any, pages: dict[str, Path]) -> None:
    page, _ = opened(browser, pages["hostile"])
    notes = page.locator(".notes li bdi").all_text_contents()
    visible = str.maketrans({"\x00": "␀", "\x07": "␇", "\x1b": "␛", "\ud800": "\ufffd"})
    assert notes == [note.translate(visible).replace("\r\n", "\n") for note in HOSTILE]
    assert "lone \ufffd surrogate" in page.content()
    page.close()


def test_the_policy_blocks_scripts_even_if_markup_got_through(browser: Any, pages: dict[str, Path]) -> None:
    page, wrong = opened(browser, pages["medium"])
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=window.hit=1>')")
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.hit=2'}))"
    )
    assert page.evaluate("fetch('http://127.0.0.1:9/x').then(() => 'fetched', () => 'blocked')") == "blocked"
    assert page.evaluate("window.hit") is None
    assert any("Content Security Policy" in line for line in wrong)
    page.close()


def numbers(page: Any, block: str = "") -> list[int]:
    """The numbers of the lines that no filter hides, in the order of the page."""
    shown = f"[...document.querySelectorAll('{block} .line:not([hidden])')]"
    return [int(text) for text in page.evaluate(f"{shown}.map(line => line.dataset.number)")]


def test_the_list_has_differences_and_folded_blocks(browser: Any, pages: dict[str, Path]) -> None:
    page, _ = opened(browser, pages["lines"])
    index = index_of(SAMPLES["lines"]())
    first = "#findings > .lines"
    assert page.locator("#findings-head").text_content() == "7\N{NO-BREAK SPACE}confirmed differences"
    assert numbers(page, first) == [entry.number for entry in index.differences]
    assert numbers(page, "#wording") == [entry.number for entry in index.wording]
    assert numbers(page, "#features") == [entry.number for entry in index.bare_features]
    assert numbers(page, "#unconfirmed") == [entry.number for entry in index.entries if not entry.lead.confirmed]
    assert page.locator(f"{first} .line:visible").count() == 7
    assert page.locator("#wording .line:visible, #features .line:visible, #unconfirmed .line:visible").count() == 0
    page.locator("#wording > summary").click()
    assert page.locator("#wording .line:visible").count() == 1
    page.close()


def test_the_order_can_be_chosen_within_each_block(browser: Any, pages: dict[str, Path]) -> None:
    page, _ = opened(browser, pages["medium"])
    findings, first = medium_report().findings, "#findings > .lines"
    before = numbers(page)
    page.select_option("#sorter", "net")
    nets = [findings[number - 1].heldout.net_difference.value for number in numbers(page, first)]
    assert nets == sorted(nets, reverse=True)
    page.select_option("#sorter", "q")
    qs = [findings[number - 1].heldout.q for number in numbers(page, first)]
    assert qs == sorted(qs)
    page.select_option("#sorter", "rating")
    rated = [findings[number - 1].rating for number in numbers(page, first)]
    interest = [each.interestingness.value for each in rated if each]
    assert interest == sorted(interest, reverse=True)
    assert rated[len(interest) :] == [None] * (len(rated) - len(interest))
    page.select_option("#sorter", "number")
    assert numbers(page) == before == list(range(1, len(findings) + 1))
    page.close()


def test_filters_narrow_the_list_and_tell_how_many_are_left(browser: Any, pages: dict[str, Path]) -> None:
    page, _ = opened(browser, pages["medium"])
    findings = list(enumerate(medium_report().findings, 1))
    assert page.locator("#shown").text_content() == ""
    page.select_option("[data-filter=method]", "lexical")
    page.select_option("[data-filter=category]", "style")
    page.fill("[data-filter=words]", "EXCLAMATION marks")
    kept = [number for number, finding in findings if "exclamation marks" in finding.hypothesis.text]
    assert numbers(page) == kept
    assert page.locator("#shown").text_content() == "1 of 12 shown"
    page.close()


def test_the_map_and_the_places_narrow_the_list_and_a_pair_has_three_views(
    browser: Any, pages: dict[str, Path]
) -> None:
    page, wrong = opened(browser, pages["lines"])
    shown = page_of(SAMPLES["lines"]())
    first = "#findings > .lines"
    cell = page.locator("#map tbody tr").nth(1).locator("a[data-where]").first
    place = int(cell.get_attribute("data-where"))
    cell.click()
    page.locator("#f2 .pair").first.wait_for()
    leads = [entry for entry in shown.blocks[0].entries if place in entry.places]
    assert sorted(numbers(page, first)) == [entry.lead.number for entry in leads]
    scope = len(shown.places) - 1
    page.select_option("[data-filter=where]", str(scope))
    leads = [entry for entry in shown.blocks[0].entries if scope in entry.places]
    assert numbers(page, first) == [entry.lead.number for entry in leads] != []
    page.select_option("[data-filter=where]", "")
    pair = page.locator("#f2 .main .group").first.locator(".pair:visible")
    assert pair.count() == 1, "one at a time"
    assert pair.locator(".both .key").is_hidden()
    pair.locator("[role=tab]").first.focus()
    page.keyboard.press("ArrowRight")
    assert pair.locator(".both .key").is_visible()
    before = pair.text_content()
    pair.locator("[data-step='1']").focus()
    page.keyboard.press("ArrowRight")
    assert pair.text_content() != before
    assert pair.get_attribute("data-view") == "differs", "the view stays from pair to pair"
    page.keyboard.press("ArrowLeft")
    assert pair.text_content() == before
    pair.locator("[role=tab]").last.click()
    assert pair.locator(".answers").is_hidden()
    assert pair.locator(".said").first.is_visible()
    assert wrong == []
    page.close()


def test_a_link_leads_to_a_finding_that_is_shown_below_another(browser: Any, pages: dict[str, Path]) -> None:
    """It opens its evidence, also where a filter hides the entry; a filter by method keeps entries found by it too."""
    page, wrong = opened(browser, pages["merged"])
    page.select_option("[data-filter=method]", "llm")
    kept = page.evaluate("[...document.querySelectorAll('.line:not([hidden])')].map(line => line.dataset.method)")
    assert {"lexical|llm", "llm"} <= set(kept)
    page.fill("[data-filter=words]", "nothing of the kind")
    assert page.locator("#f11").is_hidden()
    page.evaluate("location.hash = 'f11'")
    page.wait_for_selector("#f11 details[open]")
    assert page.locator("#f11 > details .example").first.is_visible()
    assert page.locator("#f1 > details[open]").count() == 1, "the line that it belongs to is open too"
    assert wrong == []
    page.close()


def test_evidence_opens_by_keyboard_with_marked_quotes_and_folded_texts(browser: Any, pages: dict[str, Path]) -> None:
    page, _ = opened(browser, pages["medium"], 390)
    quoted = next(n for n, f in enumerate(medium_report().findings, 1) if "praise" in f.hypothesis.text)
    body = page.locator(f"#f{quoted}")
    body.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert body.locator("mark").first.text_content() == "Great question!"
    fold = body.locator("button.unfold").first
    assert fold.get_attribute("aria-expanded") == "false"
    fold.click()
    assert fold.get_attribute("aria-expanded") == "true"
    page.close()


def test_the_theme_can_be_changed_and_the_rows_follow(browser: Any, pages: dict[str, Path]) -> None:
    page, wrong = opened(browser, pages["medium"])
    track = "getComputedStyle(document.querySelector('.rate .track')).backgroundColor"
    colour = f"getComputedStyle(document.body).backgroundColor + {track}"
    light = page.evaluate(colour)
    page.locator("#theme").click()
    dark = page.evaluate(colour)
    assert light.split(")")[0] != dark.split(")")[0]
    assert light.split(")")[1] != dark.split(")")[1]
    assert wrong == []
    page.close()


def test_it_prints_in_the_colours_of_paper_without_controls(browser: Any, pages: dict[str, Path]) -> None:
    page, _ = opened(browser, pages["lines"])
    page.locator("#theme").click()
    page.emulate_media(media="print")
    page.wait_for_function("getComputedStyle(document.body).color === 'rgb(0, 0, 0)'")
    assert page.locator(".tools:visible, .top:visible").count() == 0
    assert page.locator("#findings > .lines > .line:visible").count() == 7
    page.close()


def test_twelve_rows_fit_on_a_screen_and_the_answer_with_a_marked_pair_too(
    browser: Any, pages: dict[str, Path]
) -> None:
    page, _ = opened(browser, pages["medium"])
    pair = page.locator("#overview .pair:visible")
    box = pair.bounding_box()
    assert box["y"] + box["height"] < 900
    heights = page.evaluate("[...document.querySelectorAll('#findings > .lines > .line')].map(e => e.offsetHeight)")
    assert 12 * sum(heights) / len(heights) < 900
    shown = [pair.text_content()]
    pair.locator("[role=tab]").nth(1).click()
    pair.locator("[data-step='1']").focus()
    for _ in range(7):  # one more than there are pairs
        page.keyboard.press("ArrowRight")
        shown.append(pair.text_content())
    assert (len(set(shown)), shown[-1], pair.get_attribute("data-view")) == (6, shown[-2], "differs")
    page.keyboard.press("ArrowLeft")
    assert pair.text_content() == shown[4]
    page.close()


def test_a_row_says_both_rates_and_the_difference_to_those_who_do_not_see_it(
    browser: Any, pages: dict[str, Path]
) -> None:
    page, _ = opened(browser, pages["lines"])
    row = " ".join((page.locator("#f1 summary.g").text_content() or "").split())
    assert "tern-1b-base: 0 of 16." in row
    assert "tern-1b-chat: 12 of 16." in row
    assert "75 41 to 90 points more for tern-1b-chat, with the 95% interval." in row
    assert "Concentrated in: safety-sensitive" in row
    assert "continues the user's text instead of answering it" in row, "the other model's side of it stands in the row"
    page.close()


def test_without_scripts_all_is_there(browser: Any, pages: dict[str, Path]) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(pages["medium"].as_uri())
    assert numbers_without_scripts(page) == list(range(1, 13))
    page.locator(".say a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/*#f1")
    page.locator("#f1 summary").first.click()
    assert page.locator("#f1 .example").first.is_visible()
    page.locator("#unconfirmed > summary").click()
    assert page.locator("#unconfirmed .line").first.is_visible()
    context.close()


def numbers_without_scripts(page: Any) -> list[int]:
    lines = page.locator(".line").all()
    return [int(line.get_attribute("data-number") or 0) for line in lines]
