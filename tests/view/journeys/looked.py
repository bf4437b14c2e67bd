"""Looks at a page as it stands: wide and narrow, light and dark."""

from typing import Any

from tests.view.looks import fits, picture, serious_violations

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
TOUCH = 44
"""Pixels that a finger hits."""
_ROWS = (
    "table:not(.heat) > tbody:nth-of-type(n + 7)",
    "table:not(.heat) tr:nth-of-type(n + 7)",
    ".line:nth-of-type(n + 7)",
)
"""What one template made many times over is looked at a few times: axe-core takes seconds for a long table."""
_OF_COLOURS = ("color-contrast", "link-in-text-block")
_SMALL = """(least) => {
  const found = [];
  for (const each of document.querySelectorAll("button, summary, select, input, a:is(.button, .action, .card)")) {
    if (!each.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    // lists for reading, links within a sentence, and what Gradio lays its own larger target around
    if (each.closest("[inert], p") || each.matches(".border-none, .more-text")) continue;
    const ticked = each.matches("[type=radio], [type=checkbox]");
    const box = ((ticked && each.closest("label")) || each).getBoundingClientRect();
    if (box.width < 2 || box.height < 2 || box.height >= least - 0.5) continue;
    const text = (each.textContent || each.name || each.ariaLabel || "").trim().slice(0, 40);
    found.push(`${each.tagName} ${each.className} ${text}: ${Math.round(box.height)}`);
  }
  return found;
}"""
_SETTLED = """() => document.querySelector("[aria-busy=true], .pending") === null
  && !document.body.classList.contains("going")
  && document.getAnimations().every(
    (each) => each.playState !== "running" || each.effect.getTiming().iterations === Infinity)"""


def open_page(browser: Any, **options: Any) -> Any:
    """A page that remembers what went wrong in it."""
    page = browser.new_context(viewport=WIDE, **options).new_page()
    page.went_wrong = []
    page.on("pageerror", lambda error: page.went_wrong.append(str(error)))
    page.on("dialog", lambda dialog: (page.went_wrong.append(dialog.message), dialog.dismiss()))
    return page


def settle(page: Any) -> None:
    """Waits until nothing is being filled or faded any more."""
    page.wait_for_function(_SETTLED)


def look_at(page: Any, name: str, within: str = "") -> list[str]:
    """What is wrong with the state in which the page stands; keeps its pictures as `<name>-<theme>-<width>`.

    Args:
        page: Of Playwright.
        name: Of the state.
        within: A selector: axe-core looks at nothing else, where the rest was looked at in another state.
    """
    wrong = []
    for theme, rules in (("light", ()), ("dark", _OF_COLOURS)):
        page.evaluate("(dark) => document.body.classList.toggle('dark', dark)", theme == "dark")
        settle(page)
        wrong += [f"{theme}: {each}" for each in serious_violations(page, rules=rules, within=within, beside=_ROWS)]
        if not fits(page):
            wrong.append("wide: does not fit")
        picture(page, f"{name}-{theme}-1280")
    page.set_viewport_size(NARROW)
    settle(page)
    if not fits(page):
        wrong.append("narrow: does not fit")
    wrong += [f"narrow: small {each}" for each in page.evaluate(_SMALL, TOUCH)]
    picture(page, f"{name}-dark-390")
    page.evaluate("document.body.classList.remove('dark')")
    picture(page, f"{name}-light-390")
    page.set_viewport_size(WIDE)
    return [f"{name}: {each}" for each in dict.fromkeys(wrong)]
