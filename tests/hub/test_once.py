"""A commit is made once, whatever becomes of the Hub's answer."""

from collections.abc import Iterator
from dataclasses import replace

import huggingface_hub.constants
import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete

from diffing.errors import HubError
from diffing.hub import BoundedApi, Patience, commit, head_of, hub_api
from tests.hub import LocalHub
from tests.waiting import DEADLINE

REPO = "alice/model"
COMMIT = "/commit/"


@pytest.fixture(autouse=True)
def api(hub: LocalHub, monkeypatch: pytest.MonkeyPatch) -> Iterator[BoundedApi]:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
    patience = Patience(timeout=DEADLINE, attempts=3, first_wait=0.01, longest_wait=2.0)
    made = hub_api(hub.add_user("alice"), hub.endpoint, patience=patience)
    made.create_repo(REPO)
    yield made
    hub_api(False, hub.endpoint, patience=Patience())


def add(path: str = "notes.txt", content: bytes = b"one") -> CommitOperationAdd:
    return CommitOperationAdd(path_in_repo=path, path_or_fileobj=content)


def titles(hub: LocalHub, revision: str = "main") -> list[str]:
    return [each.title for each in hub.repo(REPO, "model").commits(revision)]


def posts(hub: LocalHub) -> int:
    """How often a commit was sent."""
    return len([each for each in hub.requests if each.method == "POST" and COMMIT in each.path])


def test_an_answer_that_is_lost_makes_no_second_commit(hub: LocalHub, api: BoundedApi) -> None:
    hub.faults.add("POST", COMMIT, drop_answer=True)
    made = commit(api, REPO, [add()], message="Notes")
    assert posts(hub) == 1
    assert titles(hub).count("Notes") == 1
    assert made.oid == head_of(api, REPO)
    assert made.commit_url.endswith(f"/{REPO}/commit/{made.oid}")


def test_an_answer_that_comes_too_late_makes_no_second_commit(hub: LocalHub, api: BoundedApi) -> None:
    hub.faults.add("POST", COMMIT, delay=0.8)
    impatient = hub_api(str(api.token), hub.endpoint, patience=replace(api.patience, timeout=0.5))
    commit(impatient, REPO, [add()], message="Notes")
    assert titles(hub).count("Notes") == 1


def test_a_pull_request_whose_answer_is_lost_is_opened_once(hub: LocalHub, api: BoundedApi) -> None:
    bob = hub_api(hub.add_user("bob"), hub.endpoint, patience=api.patience)
    commit(bob, REPO, [add(content=b"another's")], message="Notes", create_pr=True)  # the same title, by the same one
    hub.faults.add("POST", COMMIT, drop_answer=True)
    made = commit(bob, REPO, [add()], message="Notes", create_pr=True)
    assert posts(hub) == 2
    assert [pull.num for pull in hub.repo(REPO, "model").pulls] == [1, 2]
    assert (made.pr_num, made.pr_revision) == (2, "refs/pr/2")
    assert made.oid == head_of(api, REPO, revision="refs/pr/2")


def test_a_busy_hub_is_asked_again(hub: LocalHub, api: BoundedApi) -> None:
    hub.faults.add("POST", COMMIT, 503, times=2)
    commit(api, REPO, [add()], message="Notes")
    assert posts(hub) == 3
    assert titles(hub).count("Notes") == 1


def test_a_hub_that_stays_busy_is_given_up_on(hub: LocalHub, api: BoundedApi) -> None:
    hub.faults.add("POST", COMMIT, 503, times=99)
    with pytest.raises(HubError, match="answered 503 for alice/model"):
        commit(api, REPO, [add()], message="Notes")
    assert posts(hub) == api.patience.attempts


@pytest.mark.parametrize(("seconds", "sent"), [(1, 2), (600, 1)])
def test_the_hub_says_how_long_to_wait(hub: LocalHub, api: BoundedApi, seconds: int, sent: int) -> None:
    hub.faults.add("POST", COMMIT, 429, retry_after=seconds)
    if sent == 1:  # longer than anybody waits
        with pytest.raises(HubError, match=r"slow down \(429\) .* wait 600 seconds"):
            commit(api, REPO, [add()], message="Notes")
    else:
        commit(api, REPO, [add()], message="Notes")
    assert posts(hub) == sent


def test_a_refusal_is_not_repeated(hub: LocalHub, api: BoundedApi) -> None:
    hub.faults.add("POST", COMMIT, 403, times=9)
    with pytest.raises(HubError, match=r"may not write to alice/model \(403"):
        commit(api, REPO, [add()], message="Notes")
    assert posts(hub) == 1


def test_what_was_made_for_another_commit_is_not_written(hub: LocalHub, api: BoundedApi) -> None:
    before = head_of(api, REPO)
    commit(api, REPO, [add()], message="First")
    with pytest.raises(HubError, match=r"alice/model changed in the meantime \(412\)") as caught:
        commit(api, REPO, [add(content=b"two")], message="Second", parent=before)
    assert caught.value.status == 412
    assert "Second" not in titles(hub)


def test_without_a_parent_the_newest_commit_is_built_upon(hub: LocalHub, api: BoundedApi) -> None:
    hub.faults.add("POST", COMMIT, 412)  # as if somebody else had come first
    commit(api, REPO, [add()], message="Notes")
    assert titles(hub).count("Notes") == 1


def test_content_that_was_there_before_is_a_new_commit(hub: LocalHub, api: BoundedApi) -> None:
    """An equal commit that is older than the last one is not taken for this one."""
    for content in (b"one", b"two"):
        commit(api, REPO, [add(content=content)], message="Notes")
    hub.faults.add("POST", COMMIT, 503)
    commit(api, REPO, [add(content=b"one")], message="Notes")
    assert titles(hub).count("Notes") == 3


def test_the_same_files_make_no_commit_and_others_are_removed_with_it(hub: LocalHub, api: BoundedApi) -> None:
    first = commit(api, REPO, [add(), add("old.txt")], message="Notes")
    assert commit(api, REPO, [add()], message="Notes").oid == first.oid
    second = commit(api, REPO, [add(), CommitOperationDelete(path_in_repo="old.txt")], message="Notes")
    assert second.oid != first.oid
    assert "old.txt" not in hub.repo(REPO, "model").files("main")
