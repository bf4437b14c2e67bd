"""On ZeroGPU the models of a run answer within an event of the visitor's page; the run then finds all of it."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

import spaces  # noqa: F401  before the variable is set: nothing of torch is replaced here
from diffing.demo.config import demo_config
from diffing.view.progress.progress_handlers import answer
from diffing.view.runs import OWN_MACHINE
from diffing.view.site import Site, SiteSettings
from diffing.view.zero import answer_on_loans
from tests.view.progress.visits import Visit
from tests.view.served import served

PROMPTS = 12
PAIR = replace(demo_config(), method=("lexical",), train=PROMPTS - 4, heldout=4, max_new_tokens=8)


@pytest.fixture(autouse=True)
def zero(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")


def completions(folder: Path) -> int:
    """Answers in the cache."""
    with sqlite3.connect(folder / "completions" / "completions.sqlite") as database:
        (number,) = database.execute("SELECT count(*) FROM texts").fetchone()
    return int(number)


def test_the_page_has_the_models_answer_and_then_the_run_stands_in_line(tmp_path: Path) -> None:
    with served(tmp_path / "site", workers=0) as at, Visit(at.url, "visitor") as visit:
        manager = at.site.run_manager
        run_id = manager.start(PAIR, owner="x")
        shown = visit.come(f"run={run_id}")
        assert "lent to you, from your daily quota" in shown
        others = visit.ask(run_id)
        assert "lend" not in others, "who only opens a link lends nothing"
        assert "even if somebody else started it" in others["regions"]["lead"]
        assert 'data-act="lend">Continue with my GPU quota<' in others["regions"]["acts"]
        own = visit.ask(run_id, lends=True)
        assert own["lend"] is True
        assert "my GPU quota" not in own["regions"]["acts"]
        assert "open its link in a browser" in manager.state(run_id).reason  # type: ignore[union-attr]
        assert manager.busy == (0, 0)
        visit.submit("run-lender", run_id)
        assert visit.ask(run_id)["said"] == "In line, place 1."
        assert completions(at.site.settings.folder) == 2 * PROMPTS


def test_stopped_left_and_started_anew_it_goes_on_from_there(tmp_path: Path) -> None:
    site = Site(SiteSettings(tmp_path / "site", rules=OWN_MACHINE, workers=0))
    run_id = site.run_manager.start(PAIR, owner="x")

    def lend(site: Site) -> None:
        """Until the first model has answered some prompts; another page gets nothing meanwhile."""
        folder = site.settings.folder
        lent = site.run_manager.lend(
            run_id,
            lambda config: (
                (each.stage, each.done, each.total)
                for each in answer_on_loans(config, cache=folder / "completions", rules=OWN_MACHINE)
            ),
        )
        for _ in lent:
            state = site.run_manager.state(run_id)
            assert state is not None
            if any(stage.name == "responses a" and stage.done for stage in state.stages):
                break
        assert state.attended
        assert "lend" not in answer(site, {"run": run_id, "act": "look", "lends": True}, None)
        assert "Your quota is not used" in str(answer(site, {"run": run_id, "act": "look"}, None)["regions"])
        assert list(site.run_manager.lend(run_id, lambda config: iter([("responses a", 1, 1)]))) == []
        lent.close()  # type: ignore[attr-defined]

    lend(site)
    assert answer(site, {"run": run_id, "act": "look", "lends": True}, None)["lend"] is True
    assert answer(site, {"run": run_id, "act": "stop"}, None)["tab"] == "Stopped – diffing"
    assert "lend" in answer(site, {"run": run_id, "act": "resume", "lends": True}, None)
    site.close()
    again = Site(SiteSettings(tmp_path / "site", rules=OWN_MACHINE, workers=0))
    assert again.run_manager.state(run_id).state == "lending"  # type: ignore[union-attr]
    again.run_manager.forget(run_id)
    again.close()


def test_what_cannot_be_answered_is_told(tmp_path: Path) -> None:
    site = Site(SiteSettings(tmp_path / "site", rules=OWN_MACHINE, workers=0))
    run_id = site.run_manager.start(replace(PAIR, quantization_a="4bit"), owner="x")
    cache = tmp_path / "completions"
    assert list(
        site.run_manager.lend(
            run_id, lambda config: ((each.stage, 0, 0) for each in answer_on_loans(config, cache=cache))
        )
    ) == [None]
    state = site.run_manager.state(run_id)
    assert state is not None
    assert state.state == "failed"
    assert "Weights cannot be quantized to 4 or 8 bits on ZeroGPU" in state.reason
    site.close()
