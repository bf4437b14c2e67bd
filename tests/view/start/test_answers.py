"""What the page's script is answered, without a browser: places, the proposal, the estimate, the start of a run."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from diffing.demo.config import FOLDER
from diffing.view.runs import OWN_MACHINE, PUBLIC
from diffing.view.site import Site, SiteSettings
from diffing.view.start.start_handlers import StartHandlers
from diffing.view.visitor import Visitor
from tests.hub import LocalHub
from tests.hub.fixtures import hub
from tests.view.gallery.cards import publish_card

__all__ = ["hub"]

BASE, TUNED = (str(FOLDER / "models" / name) for name in ("base", "tuned"))
HOSTILE = "<img src=x onerror=alert(1)>${alert(1)}{{7*7}}"
NOBODY, OWNER = Visitor(rules=PUBLIC), Visitor(rules=OWN_MACHINE)


@pytest.fixture
def public(hub: LocalHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StartHandlers]:
    """A Space's page; nothing runs, so that what was asked for can be looked at."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    yield from page(SiteSettings(tmp_path / "site", rules=PUBLIC, workers=0, sign_in=True))


@pytest.fixture
def own(tmp_path: Path) -> Iterator[StartHandlers]:
    """The page of one's own machine."""
    yield from page(SiteSettings(tmp_path / "site", rules=OWN_MACHINE, workers=0))


def page(settings: SiteSettings) -> Iterator[StartHandlers]:
    site = Site(settings)
    yield StartHandlers(site)
    site.close()


def push(hub: LocalHub, folder: Path, name: str, card: str = "") -> None:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(BASE, folder)
    (folder / "README.md").write_text(f"---\n{card}\n---\n", encoding="utf-8")
    hub.push_folder(name, folder)


def estimate(answers: StartHandlers, visitor: Visitor, **form: object) -> tuple[str, bool]:
    answer = answers.answer({"about": "estimate", "form": form}, visitor)
    return f"{answer['first']} {answer['html']} {answer['stages']}", answer["ready"] is True


def test_places_and_the_proposal_for_b(hub: LocalHub, public: StartHandlers, tmp_path: Path) -> None:
    push(hub, tmp_path / "m", "alice/base")
    push(hub, tmp_path / "m", "alice/tuned", "base_model: alice/base")
    push(hub, tmp_path / "m", "alice/gated")
    hub.gate("alice/gated", granted=())
    told = public.answer({"about": "base", "name": "alice/tuned"}, NOBODY)
    assert (told["base"], told["model"]) == ("alice/base", "alice/tuned")
    assert "names it as its base model" in str(told["html"])
    assert public.answer({"about": "base", "name": "alice/base"}, NOBODY) == {}
    html = str(public.answer({"about": "model", "name": "alice/tuned", "side": "a"}, NOBODY)["html"])
    assert '<input type="radio" name="where_a" value="here" checked>' in html
    assert "This Space&#39;s CPU" in html
    assert 'value="providers" disabled aria-describedby' in html
    assert "data-sign-in" in html
    gated = str(public.answer({"about": "model", "name": "alice/gated", "side": "b"}, NOBODY)["html"])
    assert "checked" not in gated
    assert "hf auth login" not in gated
    assert "Its recorded responses are used" in str(
        public.answer({"about": "model", "name": "recorded:alice/data", "side": "b"}, NOBODY)["html"]
    )


def test_the_estimate_or_what_is_in_its_way(hub: LocalHub, public: StartHandlers, tmp_path: Path) -> None:
    assert "Enter both models" in estimate(public, NOBODY)[0]
    push(hub, tmp_path / "m", "alice/base")
    push(hub, tmp_path / "m", "alice/tuned")
    names = {"model_a": "alice/base", "model_b": "alice/tuned"}
    html, ready = estimate(public, NOBODY, **names, train=100, heldout=50)
    assert ready
    assert "no cost" in html
    assert '<td class="n">300</td>' in html, "both models answer 150 prompts"
    html, ready = estimate(public, NOBODY, **names, where_b="providers")
    assert (ready, "Model B: Sign in" in html, "data-sign-in" in html) == (False, True, True)
    html, ready = estimate(public, NOBODY, **names, train=5000)
    assert (ready, "5500 prompts are more than a run may use here" in html) == (False, True)
    html, ready = estimate(public, NOBODY, **names, max_usd="2")
    assert (ready, "“Maximum dollars” needs prices" in html) == (False, True)


def test_what_was_typed_comes_back_only_as_text(hub: LocalHub, public: StartHandlers) -> None:
    told = public.answer({"about": "model", "name": HOSTILE, "side": "b"}, NOBODY)
    assert "<img" not in str(told["html"])
    assert "&lt;img src=x" in str(told["html"])
    assert not estimate(public, NOBODY, model_a=HOSTILE, model_b=HOSTILE)[1]


def test_a_run_is_put_in_line_for_whoever_asks(own: StartHandlers) -> None:
    form = {"model_a": BASE, "model_b": TUNED, "train": "20", "heldout": "10", "max_new_tokens": "8"}
    answer = own.answer({"about": "begin", "form": form}, OWNER)
    run_id = str(answer["go"]).removeprefix("run=")
    config = own._site.run_manager.config(run_id)
    assert config is not None
    assert (config.model_a, config.train, config.max_new_tokens) == (BASE, 20, 8)
    waiting = estimate(own, OWNER, **form)[0]
    assert "1 waits: yours would be number 2 in line" in " ".join(waiting.split())
    same = own.answer({"about": "begin", "form": form | {"model_b": BASE}}, OWNER)
    assert "Both sides are the same model" in str(same["problem"])
    assert "“Sample of B”" in str(same["problem"])


def test_visitors_are_counted_by_what_they_cannot_choose(hub: LocalHub, public: StartHandlers, tmp_path: Path) -> None:
    push(hub, tmp_path / "m", "alice/base")
    push(hub, tmp_path / "m", "alice/tuned")
    form = {"model_a": "alice/base", "model_b": "alice/tuned"}

    def begun(*visitors: Visitor) -> list[str]:
        asked = [
            public.answer({"about": "begin", "form": form, "session": f"s{number}"}, each)
            for number, each in enumerate(visitors)
        ]
        return [str(each.get("problem", "")) for each in asked]

    alice = [Visitor(hub.add_user("alice")) for _ in range(3)]
    assert begun(*alice) == ["", "", "2 of your runs are queued or running: expected at most 2. Stop one, or wait"]
    network = [Visitor(address=f"2001:db8::{number}") for number in range(8)]
    assert begun(*network) == [""] * 8
    assert "8 runs of your network are queued or running: expected at most 8. Sign in" in begun(network[3])[0]
    others = Visitor(address="2001:db8:1::1"), Visitor(address="192.0.2.1"), Visitor(hub.add_user("bob"))
    assert begun(*others) == [""] * 3
    unknown = Visitor("hf_of_nobody", address="2001:db8::1")
    assert public._site.run_owners.of(unknown) == public._site.run_owners.of(network[0])


@pytest.mark.parametrize(
    "asked", [None, "text", [], {}, {"about": "magic"}, {"about": "begin"}, {"about": "names", "name": 5}]
)
def test_a_question_of_another_kind_is_refused(own: StartHandlers, asked: object) -> None:
    assert "problem" in own.answer(asked, OWNER)


def test_readers_and_llms_that_cannot_be_used_say_why(hub: LocalHub, public: StartHandlers) -> None:
    llm = str(public.answer({"about": "llm", "name": "org/judge"}, NOBODY)["html"])
    assert "Not possible:</span> Sign in" in llm
    assert public.answer({"about": "llm", "name": "local:org/judge"}, NOBODY) == {"html": ""}
    reader = str(public.answer({"about": "reader", "name": "gpt2"}, NOBODY)["html"])
    assert "openai-community/gpt2 does not exist" in reader


def test_finished_diffs_of_the_same_models_are_linked(hub: LocalHub, public: StartHandlers, tmp_path: Path) -> None:
    hub.add_user("alice")
    publish_card(hub, tmp_path / "card", "alice/diff", ("org/base", "org/tuned"), confirmed=3)
    form = {"model_a": "org/tuned", "where_a": "providers", "model_b": "org/base"}
    html = str(public.answer({"about": "published", "form": form}, NOBODY)["html"])
    assert '<a href="?diff=alice/diff" data-go="diff=alice/diff">alice/diff</a>' in html
    other = form | {"model_b": "org/other"}
    assert public.answer({"about": "published", "form": other}, NOBODY) == {"html": ""}
    assert public.answer({"about": "published", "form": {}}, NOBODY) == {"html": ""}


NO_NAMES = ("a" * 256, "~nouser1/x", "~\x00", "\udcff", "a\nb", "recorded:" + "a" * 256, "x/" * 140)


@pytest.mark.parametrize("served", ["public", "own"])
def test_what_can_be_no_name_is_a_line_on_the_page(
    served: str, hub: LocalHub, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    answers: StartHandlers = request.getfixturevalue(served)
    visitor = NOBODY if served == "public" else OWNER
    for name in NO_NAMES:
        form = {"model_a": name, "model_b": "alice/b"}
        told, ready = estimate(answers, visitor, **form)
        assert not ready
        assert len(told) < 2_000
        for about in ("model", "base", "published", "begin"):
            answer = answers.answer({"about": about, "name": name, "form": form}, visitor)
            assert len(str(answer)) < 4_000
            assert "go" not in answer
    assert caplog.records == []
