"""The page in a real browser: nothing from outside runs, nothing is fetched, it fits a phone, it sorts and filters."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from diffing.outputs.html import write_html
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
        assert page.locator(".figure.forest:visible").count() == 1
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


def numbers(page: Any) -> list[int]:
    shown = "[...document.querySelectorAll('table.findings > tbody:not([hidden])')]"
    return [int(text) for text in page.evaluate(f"{shown}.map(body => body.rows[0].cells[0].textContent)")]


def test_every_column_sorts_both_ways_and_says_so(browser: Any, pages: dict[str, Path]) -> None:
    page, _ = opened(browser, pages["medium"])
    findings = medium_report().findings
    heads = page.locator("table.findings > thead th")
    assert heads.count() == 11
    for index in range(heads.count()):
        head = heads.nth(index)
        head.locator("button").evaluate("button => button.click()")
        first, before = head.get_attribute("aria-sort"), numbers(page)
        head.locator("button").evaluate("button => button.click()")
        assert {first, head.get_attribute("aria-sort")} == {"ascending", "descending"}
        assert sorted(numbers(page)) == sorted(before) == list(range(1, len(findings) + 1))
        assert page.locator("th[aria-sort='ascending'], th[aria-sort='descending']").count() == 1
    page.locator("th[data-key=net] button").click()
    nets = [findings[number - 1].heldout.net_difference.value for number in numbers(page)]
    assert nets == sorted(nets, reverse=True)
    page.locator("th[data-key=q] button").click()
    qs = [findings[number - 1].heldout.q for number in numbers(page)]
    assert qs == sorted(qs)
    page.close()


def test_filters_narrow_the_table_and_tell_how_many_are_left(browser: Any, pages: dict[str, Path]) -> None:
    page, _ = opened(browser, pages["medium"])
    findings = list(enumerate(medium_report().findings, 1))
    page.select_option("[data-filter=status]", "confirmed")
    assert numbers(page) == [number for number, finding in findings if finding.confirmed]
    page.select_option("[data-filter=method]", "lexical")
    page.select_option("[data-filter=category]", "style")
    page.fill("[data-filter=words]", "EXCLAMATION marks")
    kept = [number for number, finding in findings if "exclamation marks" in finding.hypothesis.text]
    assert numbers(page) == kept
    assert page.locator("#shown").text_content() == "1 of 12 shown"
    page.close()


def test_a_link_leads_to_a_finding_that_is_shown_below_another(browser: Any, pages: dict[str, Path]) -> None:
    """It opens its evidence, also where a filter hides the entry; a filter by method keeps entries found by it too."""
    page, wrong = opened(browser, pages["merged"])
    page.select_option("[data-filter=method]", "llm")
    led_by = page.locator("table.findings > tbody:not([hidden]) td[data-key=method]").all_text_contents()
    assert {"lexical", "llm"} <= set(led_by)
    page.fill("[data-filter=words]", "nothing of the kind")
    assert page.locator("#f11").is_hidden()
    page.evaluate("location.hash = 'f11'")
    page.wait_for_selector("#f11 details[open]")
    assert page.locator("#f11 > details .example").first.is_visible()
    assert page.locator("#f1 > tr > td > details[open]").count() == 0
    assert wrong == []
    page.close()


def test_evidence_opens_by_keyboard_with_marked_quotes_and_folded_texts(browser: Any, pages: dict[str, Path]) -> None:
    page, _ = opened(browser, pages["medium"], 390)
    quoted = next(n for n, f in enumerate(medium_report().findings, 1) if "praise" in f.hypothesis.text)
    body = page.locator(f"#f{quoted}")
    body.locator("summary").focus()
    page.keyboard.press("Enter")
    assert body.locator("mark").first.text_content() == "Great question!"
    fold = body.locator("button.unfold").first
    assert fold.get_attribute("aria-expanded") == "false"
    fold.click()
    assert fold.get_attribute("aria-expanded") == "true"
    page.close()


def test_the_theme_can_be_changed_and_the_plot_follows(browser: Any, pages: dict[str, Path]) -> None:
    page, wrong = opened(browser, pages["medium"])
    label = "getComputedStyle(document.querySelector('.forest .label')).fill"
    colour = f"getComputedStyle(document.body).backgroundColor + {label}"
    light = page.evaluate(colour)
    page.locator("#theme").click()
    dark = page.evaluate(colour)
    assert light.split(")")[0] != dark.split(")")[0]
    assert light.split(")")[1] != dark.split(")")[1]
    assert wrong == []
    page.close()


def test_the_plot_keeps_its_height_and_prints_in_the_colours_of_paper(browser: Any, pages: dict[str, Path]) -> None:
    page, _ = opened(browser, pages["medium"])
    page.locator("#theme").click()
    height = page.locator(".figure.forest.wide").bounding_box()["height"]
    assert height > 12 * 40
    page.set_viewport_size({"width": 1000, "height": 700})
    page.emulate_media(media="print")
    black = "getComputedStyle(document.querySelector('.forest .label')).fill === 'rgb(0, 0, 0)'"
    page.wait_for_function(black)
    assert page.locator(".figure.forest.wide").bounding_box()["height"] == height
    page.close()


def test_a_row_of_the_plot_opens_its_finding_by_mouse_and_keyboard(browser: Any, pages: dict[str, Path]) -> None:
    for width in (1280, 390):
        page, wrong = opened(browser, pages["medium"], width)
        rows = page.locator(".figure.forest:visible a")
        rows.nth(3).locator(".mark").click()
        page.wait_for_selector("#f4 details[open]")
        rows.nth(1).focus()
        page.keyboard.press("Enter")
        page.wait_for_selector("#f2 details[open]")
        assert "n = " in rows.nth(1).locator("title").text_content()
        assert wrong == []
        page.close()


def test_without_scripts_all_is_there_and_the_plot_leads_to_findings(browser: Any, pages: dict[str, Path]) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(pages["medium"].as_uri())
    assert numbers(page) == list(range(1, 13))
    assert page.locator(".figure.forest.wide a").count() == 12
    page.locator(".figure.forest.wide a").nth(2).focus()
    page.keyboard.press("Enter")
    assert page.url.endswith("#f3")
    page.locator("#f1 summary").click()
    assert page.locator("#f1 .example").first.is_visible()
    context.close()
