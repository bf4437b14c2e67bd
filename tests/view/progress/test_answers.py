"""What the page of a run asks and is told: only of the run whose id it has; what others wrote stays text."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from diffing.demo.config import demo_config
from diffing.view.progress import progress_html
from diffing.view.progress.progress_handlers import answer, find_run
from diffing.view.progress.progress_html import RunView
from diffing.view.runs import PUBLIC, EarlyHypothesis, RunState, StageProgress
from diffing.view.runs.run_store import RunStore
from diffing.view.site import Site, SiteSettings

EVIL = "<img src=x onerror=hit()>${hit()}{{hit()}}\u202e"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Nobody works: whatever is asked for stays in line."""
    made_ = Site(SiteSettings(tmp_path / "site", rules=PUBLIC, workers=0))
    yield made_
    made_.close()


def test_a_run_is_stopped_gone_on_with_and_removed(site: Site) -> None:
    run_id = site.run_manager.start(demo_config(), owner="x")

    def ask(act: str, token: str | None = None) -> Any:
        return answer(site, {"run": run_id, "act": act}, token)

    looked = ask("look")
    assert (looked["said"], looked["tab"]) == ("In line, place 1.", "Place 1 in line – diffing")
    assert set(looked["regions"]) == {"lead", "steps", "found", "acts"}
    assert 'data-act="stop"' in looked["regions"]["acts"]
    stopped = ask("stop")
    assert stopped["said"] == "Stopped. Answers so far are saved."
    assert "?a=" in stopped["regions"]["acts"]
    assert ask("resume", "hf_visitor")["said"] == "In line, place 1."
    assert ask("forget") == {"go": ""}
    assert ask("look") == {"go": f"run={run_id}"}  # where the page says that it was removed
    assert ask("resume") == {"problem": "There is no such run: check the link, or start a new one"}


def test_a_result_is_not_removed_by_those_to_whom_its_link_was_given(site: Site) -> None:
    run_id = site.run_manager.start(demo_config(), owner="x")
    site.run_manager.cancel(run_id)
    records = RunStore(site.run_manager.folder / "runs.sqlite")
    records.move(run_id, "done")
    records.close()
    assert "cannot be removed by everybody who has its link" in str(
        answer(site, {"run": run_id, "act": "forget"}, None)
    )
    assert site.run_manager.state(run_id) is not None


@pytest.mark.parametrize("asked", [None, "x", [], {}, {"run": None}, {"run": 7}, {"run": "a" * 101}])
def test_what_is_no_question_is_refused(site: Site, asked: object) -> None:
    assert set(answer(site, asked, None)) == {"problem"}


@pytest.mark.parametrize("run_id", ["", "%", "_", "' OR 1=1 --", "../x", "a" * 100])
def test_another_id_tells_nothing(site: Site, run_id: str) -> None:
    site.run_manager.start(demo_config(), owner="x")
    for act in ("look", "stop", "forget"):
        assert set(answer(site, {"run": run_id, "act": act}, None)) == {"go"}
    assert site.run_manager.busy == (0, 1)


def test_what_others_wrote_is_text(site: Site) -> None:
    config = replace(demo_config(), model_a=f"org/{EVIL}", model_b=f"{EVIL}/{EVIL}")
    early = EarlyHypothesis("lexical", f"<MODEL> says {EVIL}", "b", "style", pairs=20, fits=11, against=2)
    running = RunState("running", stages=(StageProgress("responses a", 5, 10, 3.0),), found=(early,) * 9)
    for state in (running, RunState("failed", reason=EVIL), RunState("waiting", reason=EVIL)):
        html = progress_html.page(RunView("id", config, state))
        assert "<img" not in html
        assert "&lt;img" in html
    html = progress_html.regions(RunView("id", config, running))["found"]
    assert "in 11 of 20" in html
    assert "3 more" in html
    assert find_run(site, "none", None) is None


def test_every_state_says_what_can_be_done() -> None:
    def acts(state: RunState, *, signed_in: bool = False) -> str:
        return progress_html.regions(RunView("id", demo_config(), state, signed_in))["acts"]

    assert "Sign in first" in acts(RunState("waiting", reason="sign in"))
    assert "Sign in first" not in acts(RunState("waiting", reason="sign in"), signed_in=True)
    assert "Resume" in acts(RunState("failed", reason="x"))
    assert "Resume" not in acts(RunState("running"))
    lead = progress_html.regions(RunView("id", demo_config(), RunState("queued", place=3, ahead_running=2)))["lead"]
    assert "Place 3 in line." in lead
    run = RunView("id", demo_config(), RunState("running", stages=(StageProgress("responses a", 43, 100, None),)))
    assert progress_html.tab(run) == "2/6 · 43% – diffing"
    assert progress_html.announcement(run) == "Step 2 of 6: base answers."
    steps = progress_html.regions(run)["steps"]
    assert 'role="progressbar"' in steps
    assert 'aria-valuenow="43"' in steps
