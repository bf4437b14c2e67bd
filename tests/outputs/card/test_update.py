"""Etiquette: what is written to a card on the Hub, by whom, and how often. Real HTTP against a local Hub."""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd, HfApi

from diffing.errors import HubError, SettingError
from diffing.hub import BoundedApi, Patience, hub_api
from diffing.outputs.card import CardOutcome, Mode, edit, section, update_card
from diffing.types import ModelInfo, Report
from tests.hub import LocalHub
from tests.outputs.samples import medium_report, quiet_report
from tests.waiting import DEADLINE

CARD = b"---\nlicense: mit  # ours\n---\n# Tuned\n\nA model.\n"
MODEL, OTHER = "bob/tuned", "acme/base"
COMMIT = r".*/commit/.*"


@cache
def report(first: int = 0) -> Report:
    """About bob's model; without the first findings it is another result."""
    some = medium_report(train=40, heldout=60)
    a, b = ModelInfo(f"{OTHER}@{'a' * 40}", "model_a"), ModelInfo(f"{MODEL}@{'b' * 40}", "model_b")
    return replace(some, model_a=a, model_b=b, findings=some.findings[first:])


def nothing_confirmed() -> Report:
    return replace(quiet_report(), model_a=report().model_a, model_b=report().model_b)


@dataclass
class World:
    """Bob's model on a Hub, and Alice, who has no rights on it."""

    hub: LocalHub
    bob: HfApi
    alice: HfApi

    def run(self, mode: Mode = "pr", *, who: str = "alice", of: Report | None = None) -> CardOutcome:
        return update_card(of or report(), MODEL, api=getattr(self, who), mode=mode)

    def readme(self, revision: str = "main") -> bytes:
        return self.hub.repo(MODEL).files(revision)["README.md"]

    def write(self, readme: bytes, revision: str | None = None, who: str = "bob") -> None:
        operation = CommitOperationAdd("README.md", readme)
        getattr(self, who).create_commit(MODEL, [operation], commit_message="By hand", revision=revision)

    @property
    def pulls(self) -> list[str]:
        return [f"{pull.author} {pull.status}" for pull in self.hub.repo(MODEL).pulls]


QUICK = Patience(timeout=DEADLINE, first_wait=0.01)


@pytest.fixture
def world(hub: LocalHub) -> World:
    apis = [hub_api(hub.add_user(name), patience=QUICK) for name in ("bob", "alice")]
    world = World(hub, *apis)
    world.bob.create_repo(MODEL)
    operations = [CommitOperationAdd("README.md", CARD), CommitOperationAdd("config.json", b"{}")]
    world.bob.create_commit(MODEL, operations, commit_message="Model")
    return world


def expected(of: Report, card: bytes = CARD) -> bytes:
    return edit(card, section(of, of=MODEL, dataset=None))


def test_a_dry_run_shows_the_change_and_writes_nothing(world: World) -> None:
    outcome = update_card(report(), MODEL, api=hub_api(token=False))
    assert outcome.happened == "shown"
    assert outcome.diff.startswith("--- a/README.md\n+++ b/README.md\n@@")
    assert "\n+## Behavioral differences\n" in outcome.diff
    assert "\n-" not in outcome.diff.replace("\n--- a", "")
    assert world.readme() == CARD
    assert {request.method for request in world.hub.requests if request.user is None} <= {"GET", "HEAD"}
    assert world.pulls == []


def test_the_owner_commits_once(world: World) -> None:
    assert world.run("commit", who="bob").happened == "committed"
    assert world.readme() == expected(report())
    assert world.hub.repo(MODEL).files()["config.json"] == b"{}"
    commits = len(world.hub.repo(MODEL).commits())
    assert world.run("commit", who="bob").happened == "unchanged"
    assert len(world.hub.repo(MODEL).commits()) == commits
    assert world.run("commit", who="bob", of=report(3)).happened == "committed"
    assert world.readme() == expected(report(3))
    assert [each.title for each in world.hub.repo(MODEL).commits()][:2] == [
        "Update behavioral differences vs acme/base@aaaaaaa (model-diff)",
        "Add behavioral differences vs acme/base@aaaaaaa (model-diff)",
    ]


def test_others_are_told_to_propose_it(world: World) -> None:
    with pytest.raises(HubError, match=r"may not write to bob/tuned \(403.*propose it with a pull request \(--pr\)"):
        world.run("commit")
    assert world.readme() == CARD


def test_twenty_runs_leave_one_pull_request(world: World) -> None:
    happened = [world.run().happened for _ in range(20)]
    assert happened == ["opened", *["unchanged"] * 19]
    assert world.pulls == ["alice open"]
    assert world.readme() == CARD
    assert world.readme("refs/pr/1") == expected(report())
    (pull,) = world.hub.repo(MODEL).pulls
    assert list(world.hub.repo(MODEL).changes(pull)) == ["README.md"]
    assert pull.title == "Add behavioral differences vs acme/base@aaaaaaa (model-diff)"
    for said in ("@alice", f"`{MODEL}@{'b' * 40}`", "only README.md", "close this pull request", "model-diff: off"):
        assert said in pull.comments[0]


def test_new_results_update_it(world: World) -> None:
    happened = [world.run(of=report(number % 3)).happened for number in range(5)]
    assert happened == ["opened", *["updated"] * 4]
    assert world.pulls == ["alice open"]
    assert world.readme("refs/pr/1") == expected(report(1))


def test_a_closed_pull_request_is_an_answer(world: World) -> None:
    url = world.run().url
    world.bob.change_discussion_status(MODEL, 1, "closed")
    world.write(CARD + b"More.\n")
    for number in range(5):
        outcome = world.run(of=report(number % 4))
        assert (outcome.happened, outcome.url) == ("declined", url)
        assert outcome.said == "bob/tuned: our pull request 1 was closed: no other one is opened."
    assert world.pulls == ["alice closed"]


def test_a_merged_one_is_followed_only_by_news(world: World) -> None:
    world.run()
    world.bob.merge_pull_request(MODEL, 1)
    assert world.readme() == expected(report())
    assert world.run().happened == "unchanged"
    assert world.run(of=report(3)).happened == "opened"
    assert world.pulls == ["alice merged", "alice open"]
    assert world.readme("refs/pr/2") == expected(report(3))


@pytest.mark.parametrize("mode", ["dry-run", "commit", "pr"])
def test_a_card_that_opted_out_is_left_alone(world: World, mode: Mode) -> None:
    world.write(CARD + b"\n<!-- model-diff: off -->\n")
    for _ in range(3):
        assert world.run(mode, who="bob").happened == "declined"
    assert world.pulls == []
    assert world.readme() == CARD + b"\n<!-- model-diff: off -->\n"


def test_a_pull_request_of_another_user_is_not_touched_and_none_is_opened_beside_it(world: World) -> None:
    ours = world.run()
    mallory = hub_api(world.hub.add_user("mallory"), patience=QUICK)
    theirs = update_card(report(3), MODEL, api=mallory, mode="pr")
    assert (theirs.happened, theirs.url) == ("declined", ours.url)
    assert theirs.said == (
        "bob/tuned: pull request 1, of alice, proposes such a section already: no second one is opened."
    )
    assert world.readme("refs/pr/1") == expected(report())
    # the owner's answer is one to all who use this
    world.bob.change_discussion_status(MODEL, 1, "closed")
    assert update_card(report(3), MODEL, api=mallory, mode="pr").said == (
        "bob/tuned: pull request 1, of alice, was closed: no other one is opened."
    )
    assert world.pulls == ["alice closed"]


def test_what_another_user_withdrew_or_only_named_like_ours_keeps_nobody_away(world: World) -> None:
    title = "Add behavioral differences vs acme/base@aaaaaaa (model-diff)"
    mallory = hub_api(world.hub.add_user("mallory"), patience=QUICK)
    mallory.create_commit(MODEL, [CommitOperationAdd("README.md", b"# Evil\n")], commit_message=title, create_pr=True)
    signed = "<!-- model-diff:pull-request -->"
    mallory.create_commit(
        MODEL, [CommitOperationAdd("x.txt", b"x")], commit_message=title, commit_description=signed, create_pr=True
    )
    mallory.change_discussion_status(MODEL, 2, "closed")
    assert world.run().happened == "opened"
    assert world.run().happened == "unchanged"
    assert world.pulls == ["mallory open", "mallory closed", "alice open"]
    assert world.readme("refs/pr/1") == b"# Evil\n"


def test_an_own_pull_request_about_something_else_is_not_taken(world: World) -> None:
    operation = CommitOperationAdd("README.md", CARD.replace(b"mit", b"apache-2.0"))
    world.alice.create_commit(MODEL, [operation], commit_message="Correct the licence", create_pr=True)
    assert world.run().happened == "opened"
    assert b"apache" in world.readme("refs/pr/1")
    assert world.readme("refs/pr/2") == expected(report())


def test_a_renamed_pull_request_is_still_ours(world: World) -> None:
    world.run()
    world.bob.rename_discussion(MODEL, 1, "Documentation")
    assert world.run().happened == "unchanged"
    world.bob.change_discussion_status(MODEL, 1, "closed")
    assert world.run().happened == "declined"
    assert world.pulls == ["alice closed"]


def test_a_hidden_description_is_no_way_to_get_two(world: World) -> None:
    world.run()
    comment = world.hub.repo(MODEL).pulls[0].events[0]["id"]
    with pytest.warns(UserWarning, match="cannot be retrieved anymore"):
        world.alice.hide_discussion_comment(MODEL, 1, comment)
    assert world.run().happened == "unchanged"
    assert world.pulls == ["alice open"]


def test_a_pull_request_follows_the_card(world: World) -> None:
    world.run()
    newer = CARD.replace(b"A model.", b"A better model.")
    world.write(newer)
    assert world.run().happened == "updated"
    assert world.readme("refs/pr/1") == expected(report(), newer)
    assert world.pulls == ["alice open"]


def test_a_pull_request_that_others_work_on_is_theirs(world: World) -> None:
    world.run()
    world.write(b"# By Bob\n", revision="refs/pr/1")
    outcome = world.run(of=report(3))
    assert outcome.happened == "declined"
    assert outcome.said == "bob committed to our pull request 1 to bob/tuned: it is left as it is."
    assert world.readme("refs/pr/1") == b"# By Bob\n"


@pytest.mark.parametrize("mode", ["commit", "pr"])
def test_a_card_that_changed_meanwhile_is_read_again(world: World, mode: Mode) -> None:
    world.hub.faults.add(method="POST", path=COMMIT, status=412, times=2)
    assert world.run(mode, who="bob").happened in ("committed", "opened")
    world.hub.faults.add(method="POST", path=COMMIT, status=412, times=99)
    with pytest.raises(HubError, match=r"bob/tuned changed in the meantime \(412\)"):
        world.run("commit", who="bob", of=report(3))


def test_a_change_between_reading_and_writing_is_not_lost(world: World) -> None:
    newer = CARD.replace(b"A model.", b"A better model.")

    class Interrupted(BoundedApi):
        """Somebody else commits just before the first commit."""

        def create_commit(self, *args: Any, **kwargs: Any) -> Any:
            if world.readme() == CARD:
                world.write(newer)
            return super().create_commit(*args, **kwargs)

    api = Interrupted(QUICK, world.hub.endpoint, world.bob.token)
    assert update_card(report(), MODEL, api=api, mode="commit").happened == "committed"
    assert world.readme() == expected(report(), newer)


@pytest.mark.parametrize("mode", ["commit", "pr"])
def test_a_lost_answer_is_not_asked_twice(world: World, mode: Mode) -> None:
    before = len(world.hub.repo(MODEL).commits())
    world.hub.faults.add(method="POST", path=COMMIT, drop_answer=True)
    outcome = world.run(mode, who="bob")
    assert outcome.happened == ("committed" if mode == "commit" else "opened")
    assert outcome.url is not None
    assert world.pulls == ([] if mode == "commit" else ["bob open"])
    assert len(world.hub.repo(MODEL).commits()) == before + (mode == "commit")


def test_discussions_that_are_switched_off(world: World) -> None:
    world.hub.disable_discussions(MODEL)
    with pytest.raises(HubError, match=r"Discussions are disabled.*copy the section by hand"):
        world.run()


def test_without_a_card_one_is_made_of_the_section(world: World) -> None:
    world.bob.delete_file("README.md", MODEL)
    assert world.run().happened == "opened"
    assert world.readme("refs/pr/1").decode() == section(report(), of=MODEL, dataset=None) + "\n"


def test_broken_metadata_is_one_line(world: World, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_bytes(b"---\ntags: [a\nlicense: : mit\n---\n# Tuned\n")
    world.hub.push_folder(MODEL, tmp_path)
    with pytest.raises(HubError, match=r"refused the card of bob/tuned: its metadata is not valid"):
        world.run()
    assert world.pulls == []


def test_an_edited_section_is_not_replaced(world: World) -> None:
    world.run("commit", who="bob")
    edited = world.readme().replace(b"This model", b"Our model", 1)
    world.write(edited)
    with pytest.raises(SettingError, match="was edited by hand: nothing was written"):
        world.run("commit", who="bob", of=report(3))
    assert world.readme() == edited


def test_nobody_is_asked_when_nothing_was_confirmed(world: World) -> None:
    assert world.run(of=nothing_confirmed()).said.startswith("No difference was confirmed, so no pull request")
    assert world.pulls == []
    # but what was claimed before is withdrawn
    world.run()
    assert world.run(of=nothing_confirmed()).happened == "updated"
    assert b"no difference between their responses was confirmed" in world.readme("refs/pr/1")


def test_a_public_card_does_not_link_to_a_private_dataset(world: World) -> None:
    world.alice.create_repo("alice/diff", repo_type="dataset", private=True)
    with pytest.raises(SettingError, match="readers of the card could not open it"):
        update_card(report(), MODEL, api=world.alice, dataset="alice/diff", mode="pr")
    with pytest.raises(HubError, match="alice/none does not exist on the Hub"):
        update_card(report(), MODEL, api=world.alice, dataset="alice/none", mode="pr")
    world.alice.update_repo_settings("alice/diff", repo_type="dataset", private=False)
    assert update_card(report(), MODEL, api=world.alice, dataset="alice/diff", mode="pr").happened == "opened"
    assert b"https://huggingface.co/datasets/alice/diff" in world.readme("refs/pr/1")


def test_a_public_card_does_not_name_a_private_model(world: World) -> None:
    acme = hub_api(world.hub.add_user("acme"), patience=QUICK)
    acme.create_repo(OTHER, private=True)
    with pytest.raises(SettingError, match="bob/tuned is public and acme/base is private"):
        update_card(report(), MODEL, api=acme, mode="pr")
    assert world.pulls == []
    world.hub.make_private(MODEL)  # which acme may not see at all
    with pytest.raises(HubError, match="bob/tuned does not exist on the Hub, or is private"):
        update_card(report(), MODEL, api=acme, mode="pr")
    assert world.run("commit", who="bob").happened == "committed"


def test_each_refusal_of_the_hub_is_a_line_without_the_token(world: World) -> None:
    token = str(world.alice.token)
    said = []

    def refused(match: str) -> None:
        with pytest.raises(HubError, match=match) as error:
            world.run()
        said.append(str(error.value))

    world.hub.faults.add(method="GET", path=r"/api/models/bob/tuned", delay=30, times=1)
    impatient = hub_api(token, patience=Patience(timeout=0.3))
    with pytest.raises(HubError, match="no answer in time") as error:
        update_card(report(), MODEL, api=impatient, mode="pr")
    said.append(str(error.value))
    hub_api(token, patience=QUICK)
    world.hub.gate(MODEL)
    refused("bob/tuned is gated")
    world.hub.make_private(MODEL)
    refused("does not exist on the Hub, or is private")
    world.hub.disable(MODEL)
    refused("bob/tuned")
    world.hub.revoke(token)
    refused("bob/tuned|401")
    assert all("\n" not in line and token not in line for line in said)


def test_no_token_is_written_anywhere(world: World, caplog: pytest.LogCaptureFixture) -> None:
    outcomes = [world.run(), world.run(of=report(3)), world.run("dry-run"), world.run("commit", who="bob")]
    pull = world.hub.repo(MODEL).pulls[0]
    commits = [*world.hub.repo(MODEL).commits(), *world.hub.repo(MODEL).commits("refs/pr/1")]
    written = [str(outcomes), str(pull), str(commits), caplog.text, str(world.hub.repo(MODEL).files())]
    for token in (world.alice.token, world.bob.token):
        assert not any(str(token) in text for text in written)
