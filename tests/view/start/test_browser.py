"""The start page in a real browser, by keyboard: from typing to a run."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from diffing.demo.config import FOLDER
from diffing.view.runs import PUBLIC
from tests.cli import recordings
from tests.hub import LocalHub
from tests.hub.fixtures import hub
from tests.view.looks import fits, picture
from tests.view.served import served

__all__ = ["hub"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Debian's chromium"),
]


def push(hub: LocalHub, folder: Path, name: str, card: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(FOLDER / "models" / "base", folder)
    (folder / "README.md").write_text(f"---\npipeline_tag: text-generation\n{card}\n---\n", encoding="utf-8")
    hub.push_folder(name, folder)


def test_from_typing_to_a_run_by_keyboard(
    hub: LocalHub, browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    push(hub, tmp_path / "m", "alice/writer-base", "")
    push(hub, tmp_path / "m", "alice/writer-tuned", "base_model: alice/writer-base")
    with served(tmp_path / "site", rules=PUBLIC, workers=0) as at:
        page = browser.new_page(viewport={"width": 390, "height": 800})
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(at.url)
        a, b = page.get_by_role("combobox", name="Model A"), page.get_by_role("combobox", name="Model B")
        compare = page.get_by_role("button", name="Compare")
        page.get_by_text("Enter both models, such as Qwen/Qwen3-4B").wait_for()
        assert compare.is_disabled()
        assert compare.bounding_box()["y"] < 740, "in view, also on a phone, before anything is scrolled"

        a.press_sequentially("tuned")
        page.get_by_role("option").wait_for()
        assert a.get_attribute("aria-expanded") == "true"
        page.keyboard.press("Escape")
        assert (a.get_attribute("aria-expanded"), a.input_value()) == ("false", "tuned")
        page.keyboard.press("ArrowDown")
        page.get_by_role("option").wait_for()
        page.keyboard.press("ArrowDown")
        marked = page.locator(f"#{a.get_attribute('aria-activedescendant')}")
        assert (marked.text_content(), marked.get_attribute("aria-selected")) == ("alice/writer-tuned", "true")
        page.keyboard.press("Enter")
        assert a.input_value() == "alice/writer-tuned"

        page.get_by_role("button", name="Use alice/writer-base").wait_for()
        b.focus()
        page.keyboard.press("Enter")
        assert b.input_value() == "alice/writer-base"
        page.get_by_text("What this takes, stage by stage").wait_for()
        here, providers = (
            page.get_by_role("group", name="Model B").get_by_role("radio", name=name)
            for name in ("This Space's CPU", "Inference Providers")
        )
        assert (here.is_checked(), providers.is_disabled()) == (True, True)
        why = page.locator(f"#{providers.get_attribute('aria-describedby')}")
        assert "Sign in first, because Inference Providers bill your account" in why.inner_text()

        page.get_by_role("button", name="Swap A and B").press("Enter")
        assert (a.input_value(), b.input_value()) == ("alice/writer-base", "alice/writer-tuned")
        page.get_by_role("radio", name="Quick").press("Space")
        page.locator("[data-estimate] tfoot").get_by_text("300", exact=True).wait_for(state="attached")
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")

        b.fill('org/<img src=x onerror="window.hit=1">')
        b.press("Tab")
        page.get_by_text("A model is named org/name, with a slash and no spaces.", exact=True).wait_for()
        assert b.get_attribute("aria-invalid") == "true"
        compare.and_(page.locator("[aria-disabled=true]")).wait_for()
        b.fill("https://huggingface.co/alice/writer-tuned/tree/main")
        b.press("Tab")
        page.get_by_text("Link read as alice/writer-tuned", exact=True).wait_for()
        assert (b.input_value(), b.get_attribute("aria-invalid")) == ("alice/writer-tuned", None)
        page.get_by_text("Free, under a minute.").wait_for()
        page.get_by_role("button", name="Compare", disabled=False).press("Enter")
        page.wait_for_url("**/?run=*")
        config = at.site.run_manager.config(page.url.partition("run=")[2])
        assert config is not None
        assert (config.model_a, config.model_b) == ("alice/writer-base", "alice/writer-tuned")
        assert (config.train, config.heldout, config.method) == (100, 50, ("lexical",))
        page.go_back()
        a.wait_for()
        page.wait_for_function("document.querySelector('#start-model_a').value === 'alice/writer-base'")
        assert page.get_by_role("radio", name="Quick").is_checked(), "coming back loses nothing"
        assert page.evaluate("window.hit") is None
        assert wrong == []
        page.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_two_uploads_become_the_models(browser: Any, tmp_path: Path, width: int) -> None:
    recordings.pair(tmp_path)
    (tmp_path / "odd.jsonl").write_text('{"frage": "p", "antwort": "r"}\n')
    with served(tmp_path / "site", rules=PUBLIC, workers=0) as at:
        page = browser.new_page(viewport={"width": width, "height": 900})
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(at.url)
        for side, name, model in (("A", "a.jsonl", "lab/plain"), ("B", "b.jsonl", "lab/praises")):
            group = page.get_by_role("group", name=f"Model {side}")
            group.get_by_text("Upload its responses").click()
            chooser = group.get_by_label("File", exact=True)
            if side == "A":
                chooser.set_input_files(tmp_path / "odd.jsonl")
                group.get_by_text("odd.jsonl, line 1: expected columns").wait_for()
            chooser.set_input_files(tmp_path / name)
            group.get_by_text(f"{name}: 60 responses of {model}, read as rows with a prompt and a response.").wait_for()
            assert group.get_by_role("combobox").input_value().startswith(f"recorded:upload:{name}/")
            group.get_by_text("Its recorded responses are used; the model is not run.").wait_for()
        page.get_by_role("button", name="Compare").click(trial=True)
        assert fits(page)
        picture(page, f"start-upload-{width}")
        assert wrong == []
        page.close()
