"""Looks at a page as it stands: wide and narrow, light and dark."""

from typing import Any

from tests.view.looks import fits, picture, serious_violations

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
TOUCH = 44
"""Pixels that a finger hits."""
_SMALL = """(least) => [...document.querySelectorAll("button, summary, select, input, [role=tab], a.button, a.action, a.card")]
  .filter((each) => each.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && !each.closest("[inert], .tools, .findings, .plot-container"))
  .map((each) => [each, (each.matches("input[type=radio], input[type=checkbox]") ? each.closest("label") ?? each : each).getBoundingClientRect()])
  .filter(([each, box]) => box.height > 1 && box.height < least - 0.5)
  .map(([each, box]) => `${each.tagName} ${each.className} ${(each.textContent || each.name || "").trim().slice(0, 40)}: ${Math.round(box.height)}`)"""

_SETTLED = """() => document.querySelector("[aria-busy=true]") === null && !document.body.classList.contains("going")
  && document.getAnimations().every((each) => each.playState !== "running" || each.effect.getTiming().iterations === Infinity)"""


def open_page(browser: Any, **options: Any) -> Any:
    """A page that remembers what went wrong in it."""
    page = browser.new_context(viewport=WIDE, **options).new_page()
    page.set_default_timeout(20_000)
    page.went_wrong = []
    page.on("pageerror", lambda error: page.went_wrong.append(str(error)))
    page.on("dialog", lambda dialog: (page.went_wrong.append(dialog.message), dialog.dismiss()))
    return page


def settle(page: Any) -> None:
    """Waits until nothing is being filled or faded any more."""
    page.wait_for_function(_SETTLED)


def look_at(page: Any, name: str) -> list[str]:
    """What is wrong with the state in which the page stands; keeps its pictures as `<name>-<theme>-<width>`."""
    wrong = []
    for theme in ("light", "dark"):
        page.evaluate("(dark) => document.body.classList.toggle('dark', dark)", theme == "dark")
        page.set_viewport_size(WIDE)
        settle(page)
        rules = ("color-contrast", "link-in-text-block") if theme == "dark" else ()
        wrong += [f"{theme}: {each}" for each in serious_violations(page, rules=rules)]
        picture(page, f"{name}-{theme}-1280")
        if not fits(page):
            wrong.append("wide: does not fit")
        page.set_viewport_size(NARROW)
        settle(page)
        picture(page, f"{name}-{theme}-390")
        if not fits(page):
            wrong.append("narrow: does not fit")
    wrong += [f"narrow: small {each}" for each in page.evaluate(_SMALL, TOUCH)]
    page.evaluate("document.body.classList.remove('dark')")
    page.set_viewport_size(WIDE)
    return [f"{name}: {each}" for each in dict.fromkeys(wrong)]
