"""Who may do what, and which error the stock client makes of each refusal."""

import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import (
    DisabledRepoError,
    GatedRepoError,
    HfHubHTTPError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from tests.hub import LocalHub
from tests.hub.conftest import put


def status_of(error: pytest.ExceptionInfo[HfHubHTTPError]) -> int:
    return error.value.response.status_code


def test_whoami(hub: LocalHub, alice: HfApi, nobody: HfApi) -> None:
    hub.add_org("lab", members=("alice",))
    about = alice.whoami()
    assert (about["name"], [org["name"] for org in about["orgs"]]) == ("alice", ["lab"])
    with pytest.raises(HfHubHTTPError, match="Invalid user token"):
        HfApi(hub.endpoint, token="hf_wrong").whoami()


def test_a_wrong_token_is_not_taken_for_a_missing_repository(hub: LocalHub, model: str) -> None:
    with pytest.raises(HfHubHTTPError, match="Invalid credentials in Authorization header") as caught:
        HfApi(hub.endpoint, token="hf_wrong").model_info("alice/model")
    assert not isinstance(caught.value, RepositoryNotFoundError)
    assert status_of(caught) == 401


def test_a_revoked_token(hub: LocalHub) -> None:
    token = hub.add_user("carol")
    hub.revoke(token)
    with pytest.raises(HfHubHTTPError, match="Invalid user token"):
        HfApi(hub.endpoint, token=token).whoami()


def test_what_is_not_there(alice: HfApi, nobody: HfApi, model: str) -> None:
    for api in (alice, nobody):
        with pytest.raises(RepositoryNotFoundError, match="Repository Not Found"):
            api.model_info("alice/none")
        with pytest.raises(RevisionNotFoundError, match="Revision Not Found"):
            api.model_info("alice/model", revision="none")
        with pytest.raises(RemoteEntryNotFoundError, match="Entry Not Found"):
            api.hf_hub_download("alice/model", "none.txt")
    assert alice.model_info("alice/model", revision=model[:8]).sha == model


def test_a_private_repository_does_not_exist_for_strangers(
    hub: LocalHub, alice: HfApi, bob: HfApi, nobody: HfApi, model: str
) -> None:
    hub.make_private("alice/model")
    for api, status in ((bob, 404), (nobody, 401)):
        with pytest.raises(RepositoryNotFoundError, match="Repository Not Found") as caught:
            api.model_info("alice/model")
        assert status_of(caught) == status
        assert list(api.list_models(author="alice")) == []
    assert alice.model_info("alice/model").private
    assert [each.id for each in alice.list_models(author="alice")] == ["alice/model"]


def test_a_private_repository_from_the_start(hub: LocalHub, alice: HfApi, nobody: HfApi) -> None:
    alice.create_repo("alice/x", private=True, repo_type="dataset")
    with pytest.raises(RepositoryNotFoundError, match="Repository Not Found"):
        nobody.dataset_info("alice/x")
    alice.update_repo_settings("alice/x", private=False, repo_type="dataset")
    assert not nobody.dataset_info("alice/x").private


def test_a_gate(hub: LocalHub, alice: HfApi, bob: HfApi, nobody: HfApi, model: str) -> None:
    hub.gate("alice/model")
    assert nobody.model_info("alice/model").gated == "manual"  # what it is may be known to all
    for api, status in ((bob, 403), (nobody, 401)):
        with pytest.raises(GatedRepoError, match="Cannot access gated repo") as caught:
            api.hf_hub_download("alice/model", "README.md")
        assert status_of(caught) == status
        with pytest.raises(GatedRepoError, match="restricted"):
            api.auth_check("alice/model")
    alice.auth_check("alice/model")
    hub.gate("alice/model", granted=("bob",))
    bob.auth_check("alice/model")


def test_a_disabled_repository(hub: LocalHub, alice: HfApi, model: str) -> None:
    hub.disable("alice/model")
    with pytest.raises(DisabledRepoError, match="Access to this resource is disabled"):
        alice.model_info("alice/model")


def test_only_the_owner_commits(hub: LocalHub, bob: HfApi, nobody: HfApi, model: str) -> None:
    with pytest.raises(HfHubHTTPError, match="403 Forbidden: You don't have the rights") as caught:
        put(bob, "alice/model", {"a.txt": b"a"})
    assert status_of(caught) == 403
    with pytest.raises(HfHubHTTPError, match="Invalid username or password") as caught:
        put(nobody, "alice/model", {"a.txt": b"a"})
    assert status_of(caught) == 401
    assert "a.txt" not in hub.repo("alice/model").files()
    for api, may in ((bob, False), (HfApi(hub.endpoint, token=hub.add_user("alice")), True)):
        if may:
            api.auth_check("alice/model", write=True)
        else:
            with pytest.raises(HfHubHTTPError, match="You don't have the rights"):
                api.auth_check("alice/model", write=True)


def test_members_of_an_organisation_write_for_it(hub: LocalHub, alice: HfApi, bob: HfApi) -> None:
    hub.add_org("lab", members=("alice",))
    alice.create_repo("lab/model")
    put(alice, "lab/model", {"a.txt": b"a"})
    with pytest.raises(HfHubHTTPError, match="403 Forbidden"):
        bob.create_repo("lab/other")
    with pytest.raises(HfHubHTTPError, match="403 Forbidden"):
        put(bob, "lab/model", {"b.txt": b"b"})


def test_a_token_for_reading_reads_what_is_private_and_writes_nothing(hub: LocalHub, alice: HfApi, model: str) -> None:
    hub.make_private("alice/model")
    reader = HfApi(hub.endpoint, token=hub.add_user("alice", read_only=True))
    assert reader.model_info("alice/model").sha == model
    for write in (
        lambda: put(reader, "alice/model", {"a.txt": b"a"}),
        lambda: put(reader, "alice/model", {"a.txt": b"a"}, create_pr=True),
        lambda: reader.create_repo("alice/other"),
        lambda: reader.create_discussion("alice/model", "A question"),
        lambda: reader.create_webhook(url="http://127.0.0.1:1/", watched=[]),
    ):
        with pytest.raises(HfHubHTTPError, match="This token has the role read"):
            write()


def test_repositories_are_made_once_and_deleted(alice: HfApi, model: str) -> None:
    with pytest.raises(HfHubHTTPError, match="409"):
        alice.create_repo("alice/model")
    url = alice.create_repo("alice/model", exist_ok=True)
    assert (url.repo_id, url.repo_type) == ("alice/model", "model")
    dataset = alice.create_repo("alice/model", repo_type="dataset")
    assert (dataset.repo_id, dataset.repo_type) == ("alice/model", "dataset")
    alice.delete_repo("alice/model")
    assert not alice.repo_exists("alice/model")
    assert alice.repo_exists("alice/model", repo_type="dataset")
