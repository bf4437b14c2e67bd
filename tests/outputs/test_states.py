"""The page in states that are rare, in a real browser: what it shows then, and that it fits both widths and themes."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from diffing.outputs.html import write_html
from diffing.report.index import index_of
from tests.outputs.states import LONG_A, LONG_B, STATES
from tests.view.looks import AXE, fits, picture, serious_violations

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Debian's chromium"),
]


@pytest.fixture(params=STATES)
def state(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def test_it_shows_what_there_is_and_fits(state: str, browser: Any, tmp_path: Path) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, bypass_csp=True)  # axe-core is a script
    page = context.new_page()
    page.goto(write_html(STATES[state](), tmp_path / f"{state}.html").as_uri())
    page.locator("#headline").wait_for()
    CHECKS[state](page)
    page.evaluate("scrollTo(0, 0)")
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            assert fits(page), f"{theme} {width}"
            picture(page, f"state-{state}-{theme}-{width}")
        if AXE.exists():
            beside = (".line:nth-of-type(n + 4)", ".heat tr:nth-of-type(n + 4)")
            rules = () if theme == "light" else ("color-contrast",)
            assert serious_violations(page, rules=rules, beside=beside) == []
    context.close()


def _many(page: Any) -> None:
    lines = page.locator("#findings > .lines > .line")
    assert lines.count() == len(index_of(STATES["many"]()).differences) > 200
    assert page.locator("#map tbody tr").count() == 13
    page.locator("[data-filter=direction]").select_option("a")
    assert 0 < page.locator("#findings > .lines > .line:visible").count() < lines.count()
    page.locator("[data-filter=direction]").select_option("")


def _long_names(page: Any) -> None:
    names = page.locator(".between .model").all_text_contents()
    assert names == [f"{(name := whole.partition('/')[2])[:31]}…{name[-16:]}" for whole in (LONG_A, LONG_B)]
    said = page.locator(".say .model").first
    brief = dict(zip(names, ("DeepSeek-R1…Q4_K_M", "Meta-Llama-3.1…it-bf16"), strict=True))
    assert said.text_content() == brief[said.get_attribute("title")]
    assert page.locator(".cols .model").count() == 0, "the axis says A and B"


def _other_scripts(page: Any) -> None:
    pair = page.locator(".series .pair").first
    assert pair.locator(".text").evaluate_all("all => all.map(each => each.dir)") == ["auto"] * 3
    assert pair.locator(".text").evaluate_all("all => all.map(each => getComputedStyle(each).direction)") == [
        "rtl", "rtl", "ltr",
    ]  # fmt: skip
    left, right = (pair.locator(f".answer.{side}").bounding_box()["x"] for side in "ab")
    assert left < right, "A stays left"
    assert "characters" in pair.locator(".answer.b .length").text_content()
    assert "words" in pair.locator(".answer.a .length").text_content()


def _no_kinds(page: Any) -> None:
    assert page.locator("#map, .wh *, .pair .chip").count() == 0


def _one_side(page: Any) -> None:
    assert page.locator(".say").count() == 3
    assert page.locator(".say > .mk.a").count() == 0


def _single(page: Any) -> None:
    assert page.locator(".say").count() == 1
    assert page.locator("#findings > .lines > .line").count() == 1
    assert page.locator("#map").count() == 0, "too few for a map"


def _ten_thousand(page: Any) -> None:
    assert "found on 6,000 prompts, checked on 4,000 others" in page.locator(".between").inner_text().replace(
        "\xa0", " "
    )
    assert page.locator(".series .pair").count() > 0


def _llm(page: Any) -> None:
    assert page.locator(".line .t .tag", has_text="LLM").count() > 0
    page.locator(".line", has=page.locator(".tag", has_text="LLM")).first.locator("summary").first.click()
    assert "judged by" in page.locator(".line .row[open] .verdict:visible").first.text_content()


CHECKS = {
    "many": _many,
    "long-names": _long_names,
    "other-scripts": _other_scripts,
    "no-kinds": _no_kinds,
    "one-side": _one_side,
    "single": _single,
    "ten-thousand": _ten_thousand,
    "llm": _llm,
}
