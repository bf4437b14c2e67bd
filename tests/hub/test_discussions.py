"""Pull requests and discussions."""

import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError

from tests.hub import LocalHub
from tests.hub.conftest import README, put

OTHER = README + b"More.\n"


def propose(api: HfApi, content: bytes = OTHER, title: str = "Add a section", **options: object) -> int:
    from huggingface_hub import CommitOperationAdd

    operations = [CommitOperationAdd("README.md", content)]
    info = api.create_commit("alice/model", operations, commit_message=title, create_pr=True, **options)
    assert info.pr_revision == f"refs/pr/{info.pr_num}"
    return info.pr_num


def test_a_stranger_proposes_what_the_owner_merges(hub: LocalHub, alice: HfApi, bob: HfApi, model: str) -> None:
    num = propose(bob, commit_description="Why it is good", parent_commit=model)
    repo = hub.repo("alice/model")
    assert repo.files()["README.md"] == README
    assert repo.files("refs/pr/1")["README.md"] == OTHER
    details = alice.get_discussion_details("alice/model", num)
    assert (details.status, details.author, details.title) == ("open", "bob", "Add a section")
    assert details.events[0].content == "Why it is good"
    assert details.diff.endswith("\n # A model\n+More.\n")
    with pytest.raises(HfHubHTTPError, match="403 Forbidden"):
        bob.merge_pull_request("alice/model", num)
    alice.merge_pull_request("alice/model", num, comment="Thanks")
    assert repo.files()["README.md"] == OTHER
    merged = alice.get_discussion_details("alice/model", num)
    assert (merged.status, merged.merge_commit_oid) == ("merged", repo.commits()[0].sha)
    assert repo.commits()[0].title == "Add a section (#1)"
    assert repo.pulls[0].comments == ["Why it is good", "Thanks"]


def test_more_commits_go_to_an_open_pull_request(hub: LocalHub, alice: HfApi, bob: HfApi, model: str) -> None:
    num = propose(bob)
    put(bob, "alice/model", {"README.md": OTHER + b"Even more.\n"}, "Update", revision=f"refs/pr/{num}")
    repo = hub.repo("alice/model")
    assert [commit.title for commit in repo.commits("refs/pr/1")][:2] == ["Update", "Add a section"]
    assert [event["type"] for event in repo.pulls[0].events] == ["comment", "commit", "commit"]
    carol = HfApi(hub.endpoint, token=hub.add_user("carol"))
    with pytest.raises(HfHubHTTPError, match="403 Forbidden"):
        put(carol, "alice/model", {"README.md": b"mine"}, revision=f"refs/pr/{num}")
    refs = bob.list_repo_refs("alice/model", include_pull_requests=True)
    assert [(each.ref, each.target_commit) for each in refs.pull_requests] == [("refs/pr/1", repo.refs["refs/pr/1"])]
    alice.change_discussion_status("alice/model", num, "closed")
    with pytest.raises(HfHubHTTPError, match="The pull request 1 is closed"):
        put(bob, "alice/model", {"README.md": b"late"}, revision=f"refs/pr/{num}")


def test_closed_and_opened_again(alice: HfApi, bob: HfApi, model: str) -> None:
    num = propose(bob)

    def listed(status: str) -> list[int]:
        return [each.num for each in bob.get_repo_discussions("alice/model", discussion_status=status)]

    event = alice.change_discussion_status("alice/model", num, "closed", comment="No, thanks")
    assert (event.new_status, listed("open"), listed("closed")) == ("closed", [], [num])
    bob.change_discussion_status("alice/model", num, "open")
    assert (listed("open"), listed("closed")) == ([num], [])


def test_lists_by_author_kind_and_page(hub: LocalHub, alice: HfApi, bob: HfApi, model: str) -> None:
    for number in range(12):
        bob.create_discussion("alice/model", f"Question {number}")
    mine = propose(alice)
    everything = list(bob.get_repo_discussions("alice/model"))
    assert [each.num for each in everything] == list(range(13, 0, -1))
    assert [each.num for each in bob.get_repo_discussions("alice/model", author="alice")] == [mine]
    pulls = bob.get_repo_discussions("alice/model", discussion_type="pull_request")
    assert [(each.num, each.is_pull_request, each.git_reference) for each in pulls] == [(mine, True, "refs/pr/13")]


def test_talk(hub: LocalHub, alice: HfApi, bob: HfApi, model: str) -> None:
    num = bob.create_discussion("alice/model", "A question", description="Why?").num
    comment = alice.comment_discussion("alice/model", num, "Because")
    edited = alice.edit_discussion_comment("alice/model", num, comment.id, "Because of this")
    assert (edited.content, edited.edited) == ("Because of this", True)
    with pytest.raises(HfHubHTTPError, match="This is a comment of somebody else"):
        bob.edit_discussion_comment("alice/model", num, comment.id, "No")
    renamed = bob.rename_discussion("alice/model", num, "The question")
    assert (renamed.old_title, renamed.new_title) == ("A question", "The question")
    assert hub.repo("alice/model").discussions[0].comments == ["Why?", "Because of this"]
    assert hub.repo("alice/model").pulls == []
    for title in ("ab", "x" * 201):
        with pytest.raises(HfHubHTTPError, match="3 to 200 characters"):
            bob.create_discussion("alice/model", title)


def test_a_pull_request_without_changes_is_a_draft(alice: HfApi, bob: HfApi, model: str) -> None:
    pull = bob.create_pull_request("alice/model", "To come")
    assert (pull.status, pull.git_reference) == ("draft", "refs/pr/1")
    put(bob, "alice/model", {"README.md": OTHER}, revision="refs/pr/1")
    assert bob.change_discussion_status("alice/model", 1, "open").new_status == "open"


def test_conflicts_are_named_and_not_merged(hub: LocalHub, alice: HfApi, bob: HfApi, model: str) -> None:
    num = propose(bob)
    put(alice, "alice/model", {"README.md": README + b"Something else.\n", "other.txt": b"x"})
    assert alice.get_discussion_details("alice/model", num).conflicting_files == ["README.md"]
    with pytest.raises(HfHubHTTPError, match=r"There are conflicts: README\.md"):
        alice.merge_pull_request("alice/model", num)
    put(alice, "alice/model", {"README.md": README})
    alice.merge_pull_request("alice/model", num)
    assert hub.repo("alice/model").files()["README.md"] == OTHER
    assert hub.repo("alice/model").files()["other.txt"] == b"x"


def test_nothing_changed_makes_no_pull_request(hub: LocalHub, bob: HfApi, model: str) -> None:
    from huggingface_hub import CommitOperationAdd

    operations = [CommitOperationAdd("README.md", README)]
    info = bob.create_commit("alice/model", operations, commit_message="Same", create_pr=True)
    assert (info.pr_url, hub.repo("alice/model").pulls) == (None, [])


def test_discussions_can_be_disabled(hub: LocalHub, bob: HfApi, model: str) -> None:
    hub.disable_discussions("alice/model")
    for ask in (
        lambda: propose(bob),
        lambda: bob.create_discussion("alice/model", "A question"),
        lambda: list(bob.get_repo_discussions("alice/model")),
    ):
        with pytest.raises(HfHubHTTPError, match="403 Forbidden: Discussions are disabled for this repo"):
            ask()
    assert hub.repo("alice/model").discussions == []
