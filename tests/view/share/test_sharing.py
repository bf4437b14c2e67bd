"""What is done with a result, in whose name, and that what was shown is what is written. Real HTTP to a local Hub."""

import difflib
import html
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from markdown_it import MarkdownIt

from diffing.errors import HubError
from diffing.outputs.card import edit, section
from diffing.outputs.figures import badge_words
from diffing.types import ModelInfo
from diffing.view.page_query import PageAddress
from diffing.view.runs import OWN_MACHINE
from diffing.view.share import share_html
from diffing.view.share.hub_refusals import explain
from diffing.view.share.served_downloads import ServedDownloads
from diffing.view.share.share_handlers import ShareHandlers
from diffing.view.visitor import Visitor
from tests.hostile import handlers_in
from tests.outputs.samples import hostile_report
from tests.view.share.conftest import CARD, MODEL, OTHER, RUN, World, keep, report

NAME = "alice/base-vs-tuned"
REQUEST: Any = SimpleNamespace(client=None)


def agreed(answer: dict[str, str]) -> str:
    return re.search(r'data-agreed="(\w{64})"', answer["result"])[1]  # type: ignore[index]


def lines_shown(answer: dict[str, str]) -> list[str]:
    found = re.findall(r'<span class="sign">(.?)</span><span class="line">(.*)</span>', answer["result"])
    return [html.unescape(sign + line) for sign, line in found]


def test_what_was_shown_is_what_the_owner_commits(world: World) -> None:
    with world.site() as site:
        shown = world.ask(site, "preview", "bob", model=MODEL)
        assert world.readme() == CARD
        assert "Commit to the card" in shown["result"]
        assert "Open a pull request" in shown["result"]
        written = world.ask(site, "write", "bob", mode="commit", model=MODEL, agreed=agreed(shown))
        assert "Written" in written["result"]
        assert "The section was written to the card of bob/tuned." in written["result"]
        again = world.ask(site, "preview", "bob", model=MODEL)
    expected = edit(CARD, section(report(), of=MODEL, dataset=None))
    assert world.readme() == expected
    before, after = (text.decode().splitlines() for text in (CARD, expected))
    assert lines_shown(shown) == list(difflib.unified_diff(before, after, lineterm=""))[2:]
    assert "Nothing to change" in again["result"]
    assert world.asked_by() == {"bob"}


@pytest.mark.parametrize("mode", ["commit", "pr"])
def test_a_card_that_changed_since_it_was_shown_is_shown_again(world: World, mode: str) -> None:
    with world.site() as site:
        shown = world.ask(site, "preview", "bob", model=MODEL)
        world.write(CARD + b"More.\r\n")
        moved = world.ask(site, "write", "bob", mode=mode, model=MODEL, agreed=agreed(shown))
        assert "changed in the meantime: nothing was written" in moved["result"]
        assert " More." in lines_shown(moved)
        assert world.readme() == CARD + b"More.\r\n"
        assert world.hub.repo(MODEL).pulls == []
        world.ask(site, "write", "bob", mode=mode, model=MODEL, agreed=agreed(moved))
    revision = "refs/pr/1" if mode == "pr" else "main"
    assert world.readme(revision) == edit(CARD + b"More.\r\n", section(report(), of=MODEL, dataset=None))


def test_who_may_not_write_proposes_with_the_dataset_linked(world: World) -> None:
    with world.site() as site:
        published = world.ask(site, "publish", name=NAME)
        assert published["dataset"] == NAME
        assert f'data-go="diff={NAME}"' in published["panel"]
        assert "Nothing had to be changed" in world.ask(site, "publish", name=NAME)["panel"]
        panel = world.ask(site, "card", dataset=NAME)["panel"]
        assert f"Link to the dataset {NAME}" in panel
        linked = {"model": MODEL, "dataset": NAME, "link": "on"}
        shown = world.ask(site, "preview", **linked)
        assert "Commit to the card" not in shown["result"]
        assert "as <strong>@alice</strong>" in shown["result"]
        proposed = world.ask(site, "write", mode="pr", agreed=agreed(shown), **linked)
        assert "A pull request to bob/tuned was opened." in proposed["result"]
        assert f"{world.hub.endpoint}/{MODEL}/discussions/1" in proposed["result"]
        again = world.ask(site, "write", mode="pr", agreed=agreed(shown), **linked)
        assert "says this already" in again["result"]
        refused = world.ask(site, "write", mode="commit", agreed=agreed(shown), **linked)
    assert re.fullmatch(r"The token may not write to .* propose it with a pull request\.", refused["problem"])
    assert world.readme() == CARD
    assert world.readme("refs/pr/1") == edit(CARD, section(report(), of=MODEL, dataset=NAME))
    others = {request.path.split("/")[1] for request in world.hub.requests if request.user != "alice"}
    assert others == {"large"}, "what is uploaded has an address that is its own permission"


def test_what_is_private_stays_private(world: World) -> None:
    world.hub.make_private(MODEL)
    with world.site() as site:
        published = world.ask(site, "publish", "bob", name="bob/diff")
        assert "private because bob/tuned" in published["panel"]
        assert world.hub.repo("bob/diff", "dataset").private
        linked = {"model": MODEL, "dataset": "bob/diff", "link": "on"}
        nobody = world.ask(site, "preview", "alice", **linked)
    assert "does not exist on the Hub, or is private" in nobody["problem"]


def test_nobody_acts_with_the_spaces_own_token(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", world.tokens["bob"])
    with world.site() as site:
        assert site.visitor(REQUEST, None).login is None
        panel = world.ask(site, "push", None)["panel"]
        assert "/login/huggingface?_target_url=%2F%3Frun%3Dkept" in panel
        shown = world.ask(site, "preview", None, model=MODEL)["result"]
        assert "Sign in with Hugging Face" in shown
        assert "data-write" not in shown
        for about, more in (("publish", {"name": "bob/x"}), ("write", {"model": MODEL, "mode": "pr"})):
            assert "You are not signed in any more" in world.ask(site, about, None, **more)["problem"]
    assert world.asked_by() <= {None}
    with world.site(public=False) as site:
        assert site.visitor(REQUEST, None).login == world.tokens["bob"]
        monkeypatch.delenv("HF_TOKEN")
        nobody = site.visitor(REQUEST, None)
        asked = {"key": site.key_of_run(RUN), "about": "push"}
        panel = ShareHandlers(site, ServedDownloads(world.folder)).answer(asked, nobody)["panel"]
    assert "hf auth login" in panel
    assert world.tokens["bob"] not in repr(world.actor("bob"))


def test_a_refusal_names_the_scope_that_is_missing(world: World) -> None:
    refused = HubError("The token may not write to alice/x (403: no): use one with write access to it.", status=403)
    none, all_of_them = (
        world.actor("alice", "openid profile"),
        world.actor("alice", "contribute-repos write-discussions"),
    )
    assert "(scope contribute-repos)" in explain(refused, none, "publish")
    assert "(scope write-repos)" in explain(refused, none, "commit")
    assert "(scope write-discussions)" in explain(refused, none, "pr")
    assert explain(refused, all_of_them, "pr") == str(refused)
    assert "only write to datasets that it created" in explain(refused, all_of_them, "publish")
    stale = HubError("The Hub refused the token (401): it is wrong or expired; run `hf auth login`, or unset HF_TOKEN.")
    assert explain(stale, none).endswith("wrong or expired; sign in.")
    assert "`hf auth login`" in explain(stale, Visitor(rules=OWN_MACHINE))


def test_no_error_sends_a_visitor_to_a_terminal(world: World) -> None:
    with world.site() as site:
        lines = []
        for status in (400, 401, 402, 403, 404, 409, 413, 429, 500):
            world.hub.faults.add("GET", f"/api/models/{MODEL}", status)
            lines.append(world.ask(site, "preview", model=MODEL)["problem"])
        world.hub.disable(MODEL)
        lines.append(world.ask(site, "preview", model=MODEL)["problem"])
        world.hub.revoke(world.tokens["alice"])
        lines.append(world.ask(site, "preview", model=MODEL)["problem"])
    assert len(set(lines)) == 10, "of eleven: a planted 401 is told as a real one is"
    assert not [line for line in lines if "hf auth" in line or "HF_" in line or "--" in line]
    assert "sign in" in lines[1]
    assert "sign in" in lines[-1]


def test_a_dataset_that_is_taken_is_kept_unless_it_may_be_replaced(world: World) -> None:
    with world.site() as site:
        world.ask(site, "publish", name=NAME)
    other = hostile_report()
    keep(world.folder, other, "other")
    with world.site() as site:
        asked = {"key": site.key_of_run("other"), "about": "publish", "name": NAME}
        sharing = ShareHandlers(site, ServedDownloads(world.folder / "files"))
        kept = sharing.answer(asked, world.actor("alice"))
        assert kept["problem"].endswith("give another name, or allow to replace it")
        replaced = sharing.answer({**asked, "replace": "on", "private": ""}, world.actor("alice"))
    assert replaced["dataset"] == NAME


def test_an_example_is_not_published_and_has_no_card(world: World) -> None:
    with world.site() as site:
        sharing = ShareHandlers(site, ServedDownloads(world.folder / "files"))
        asked = {"key": site.key_of_example("planted"), "name": NAME}
        answers = {
            about: sharing.answer({**asked, "about": about}, world.actor("alice")) for about in ("push", "publish")
        }
        card = sharing.answer({**asked, "about": "card"}, world.actor("alice"))
        row = share_html.actions(PageAddress("example", asked["key"]), sharing.opened(asked["key"]))
    assert "ship with the app" in answers["push"]["panel"]
    assert "ship with the app" in answers["publish"]["problem"]
    assert "so there is no card to write into" in card["panel"]
    assert "Compare again" not in row
    assert world.asked_by() == set()


def test_files_are_made_once_where_nobody_guesses_them(world: World) -> None:
    with world.site() as site:
        downloads = ServedDownloads(world.folder / "files")
        sharing = ShareHandlers(site, downloads)
        asked = {"key": site.key_of_run(RUN), "about": "file", "format": "csv"}
        first = sharing.answer(asked, world.actor(None))
        assert first["name"] == "base-vs-tuned.csv"
        file = Path(first["file"])
        assert b"confirmed" in file.read_bytes()
        assert len(file.parent.name) >= 32
        assert file.parent.parent == world.folder / "files"
        assert sharing.answer(asked, world.actor("alice")) == first
        file.unlink()
        again = Path(sharing.answer(asked, world.actor(None))["file"])
        assert again != file
        assert again.is_file()
        assert "expected one of zip" in sharing.answer({**asked, "format": "../x"}, world.actor(None))["problem"]
    assert world.asked_by() == set()


def test_links_hold_no_address_of_a_server_and_lead_back(world: World) -> None:
    with world.site() as site:
        row = share_html.actions(
            PageAddress("run", site.key_of_run(RUN)),
            ShareHandlers(site, ServedDownloads(world.folder)).opened(site.key_of_run(RUN)),
        )
        panel = world.ask(site, "share")["panel"]
        published = world.ask(site, "share", dataset=NAME)["panel"]
        diff = share_html.share(PageAddress("diff", NAME), report(), NAME, public=True)
    again = f"?a={OTHER}&amp;b={MODEL}"
    assert again in row
    assert again in panel
    assert "?run=kept" in panel
    assert "put it on the Hub" in panel
    assert f"?diff={NAME}" in published
    assert diff.count('type="text" readonly') == 3, "this finding, this result, and a new comparison"
    at = f"https://huggingface.co/datasets/{NAME}/resolve/main/badge.svg"
    assert f"[![diffing: {badge_words(report())}]({at})](https://here.invalid/?diff={NAME})" in published
    assert (
        f"[![diffing: {badge_words(report())}](https://here.invalid/badge.svg?run=kept)](https://here.invalid/?run=kept)"
        in panel
    )
    assert "https://here.invalid/?embed=1&amp;amp;run=kept" in panel


def test_models_of_files_alone_cannot_be_named_in_a_link() -> None:
    of_files = replace(report(), model_a=ModelInfo("base@8be7d2bffc4f", "model_a"))
    panel = share_html.share(PageAddress("run", "kept"), of_files, None, public=False)
    assert "?run=kept" in panel
    assert "?a=" not in panel


def test_code_that_others_paste_is_a_frame_and_a_picture_whatever_the_names_are() -> None:
    bad = hostile_report()
    for a, b in ((bad.model_a.id, bad.model_b.id), ('x"><script>window.hit=1</script>', "</textarea>](http://z/) <b>")):
        evil = replace(bad, model_a=replace(bad.model_a, id=a), model_b=replace(bad.model_b, id=b))
        panel = share_html.share(PageAddress("run", "kept"), evil, None, public=True)
        markdown, frame, badge = (
            html.unescape(each) for each in re.findall(r"<textarea[^>]*>(.*?)</textarea>", panel, re.DOTALL)
        )
        assert re.findall(r"<(\w+)", frame) == ["iframe"]
        assert frame.count('"') == 2 * len(re.findall(r' \w+="', frame)) == 12
        assert handlers_in(frame) == []
        rendered = MarkdownIt("gfm-like", {"linkify": False}).render(badge)
        assert re.findall(r"<(\w+)", rendered) == ["p", "a", "img"]
        assert "<" not in re.sub(r"<br>", "", markdown)


@pytest.mark.parametrize(
    "asked",
    [None, [], {}, {"key": 3}, {"key": "run nothing", "about": "share"}, {"key": "run kept", "about": "../../x"}],
)
def test_nonsense_is_answered_in_one_line(world: World, asked: object) -> None:
    with world.site() as site:
        answer = ShareHandlers(site, ServedDownloads(world.folder / "files")).answer(asked, world.actor("alice"))
    assert list(answer) == ["problem"]
    assert "\n" not in answer["problem"]


def test_hostile_texts_stay_texts(world: World) -> None:
    evil = "<img src=x onerror=alert(1)>\"'${1}{{1}}"
    with world.site() as site:
        for about in ("share", "card", "push", "preview", "publish"):
            answer = world.ask(site, about, dataset=evil, model=evil, name=evil, link="on", mode=evil)
            for where in ("panel", "result"):
                assert "<img src=x" not in answer.get(where, "")
    bad = hostile_report()
    text = "# <script>alert(1)</script> [x](javascript:alert(1)) ![y](http://z/y.png) <!-- a --> <b onclick=x>"
    assert not re.search(r"<(script|b)\b|href=\"javascript", str(share_html.card_reading(text, bad)))
    shown = str(share_html.card_reading(section(report(), of=MODEL, dataset=NAME), report()))
    assert re.findall(r'src="([^,"]*)', shown) == ["data:image/svg+xml;base64"] * 2
    assert len(set(re.findall(r'src="([^"]*)', shown))) == 2, "the picture, and the badge"
    assert "details" not in shown
    assert handlers_in(share_html.share(PageAddress("run", "x"), bad, None, public=True)) == []
