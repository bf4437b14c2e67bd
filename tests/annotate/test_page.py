"""The status page tells how things stand, and outside text stays text."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from diffing.annotate.revision_queue import RevisionProgress, RevisionQueue
from diffing.annotate.settings import AnnotatorSettings
from diffing.annotate.status_page import build, status
from diffing.annotate.webhook_payload import ModelPush

HOSTILE = "<img src=x onerror=\"document.title='out'\">'`${1}"


@pytest.fixture
def queue(tmp_path: Path) -> RevisionQueue:
    """One job in every state, with hostile text wherever something comes from outside."""
    made = RevisionQueue(tmp_path / "queue.sqlite")
    for number in range(6):
        made.add(ModelPush(f"alice/{HOSTILE}{number}", f"{number:040x}", None))
    jobs = [made.claim() for _ in range(5)]
    for job in jobs:
        assert job is not None
        made.decide(job, f"a {HOSTILE}", f"b {HOSTILE}")
        match job.position:
            case 1:
                told = RevisionProgress(dataset="https://hub.example/d", card="javascript:alert(1)")
                made.move(job.key, "done", HOSTILE, told)
            case 2:
                made.move(job.key, "ignored", HOSTILE)
            case 3:
                made.move(job.key, "failed", HOSTILE)
            case 4:
                made.retry(job.key, HOSTILE, 60.0)
            case 5:
                made.tell(job.key, RevisionProgress(HOSTILE, 3, 7))
    return made


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL).split())


def test_every_state_is_shown_and_nothing_outside_becomes_markup(queue: RevisionQueue) -> None:
    settings = AnnotatorSettings(watch=("alice/tuned",), allow=("bob",), card="pr")
    page = status(settings, queue, {"wrong secret": 3, HOSTILE: 1})
    assert "<img" not in page
    assert page.count("&lt;img") >= 15
    assert "javascript:" not in page
    assert re.findall(r'href="([^"]*)"', page) == ["https://hub.example/d"]
    text = text_of(page)
    for expected in (
        "Watched: alice/tuned. Also accepted: bob.",
        "The results are a dataset and a pull request on the model card.",
        "3 of 7",
        "Waiting 2",
        "try 1 failed, will be tried again",
        "waits its turn",
        "Done 1",
        "Failed 1",
        "Ignored 1",
        "wrong secret 3",
    ):
        assert expected in text


def test_an_idle_service_says_so(tmp_path: Path) -> None:
    text = text_of(status(AnnotatorSettings(), RevisionQueue(tmp_path / "queue.sqlite"), {}))
    for expected in ("No model is watched.", "Nothing at the moment.", "Nothing waits.", "Nothing yet."):
        assert expected in text


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Debian's chromium")
def test_in_a_browser(browser: Any, queue: RevisionQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "0")
    page = build(AnnotatorSettings(watch=(f"alice/{'x' * 80}",)), queue, dict)
    _, url, _ = page.launch(prevent_thread_lock=True, ssr_mode=False, quiet=True, run_history=False)
    errors: list[str] = []
    contrasts = {}
    visitor = browser.new_context(viewport={"width": 900, "height": 1400})
    try:
        for theme in ("light", "dark"):
            shown = visitor.new_page()
            shown.on("pageerror", lambda error: errors.append(str(error)))
            shown.goto(f"{url}?__theme={theme}")
            shown.get_by_role("heading", name="Annotator").wait_for()
            contrasts[theme] = min(shown.evaluate(_CONTRASTS))
            shown.screenshot(path=tmp_path / f"{theme}.png")
            assert shown.title() == "diffing annotator", "no script from outside has changed it"
        shown.set_viewport_size({"width": 390, "height": 800})
        shown.get_by_text("Watched:").wait_for()
        widest = shown.evaluate("Math.max(...[...document.querySelectorAll('.annotator p')].map(p => p.scrollWidth))")
        queue.add(ModelPush("alice/later", "a" * 40, None))
        shown.get_by_text("alice/later").wait_for()
    finally:
        visitor.close()
        page.close()
    assert errors == []
    assert widest <= 390, "nothing is cut off on a phone"
    assert {theme: contrast for theme, contrast in contrasts.items() if contrast < 4.5} == {}, "WCAG AA"


_CONTRASTS = """() => {
  const parse = text => text.match(/[\\d.]+/g).map(v => Number(v) * (text.startsWith("color(") ? 255 : 1));
  const linear = v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = c => [0.2126, 0.7152, 0.0722].reduce((sum, weight, i) => sum + weight * linear(c[i] / 255), 0);
  const behind = element => {
    for (let e = element; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.length < 4 || c[3] > 0) return c;
    }
    return [255, 255, 255];
  };
  const texts = ["p", "td", "th", "h2", "a", "h2 span", "code", ".quiet"].map(each => ".annotator " + each).join(", ");
  return [...document.querySelectorAll(texts)].map(element => {
    const pair = [parse(getComputedStyle(element).color), behind(element)].map(light);
    return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
  });
}"""
