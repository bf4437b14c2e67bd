"""Reports published on a Hub on loopback, found there, and loaded back equal."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import huggingface_hub.constants
import pytest
from huggingface_hub import CommitOperationAdd

from diffing.errors import HubError, SettingError
from diffing.hub import BoundedApi, hub_api
from diffing.outputs.address_removal import public_report
from diffing.outputs.dataset import add_to_collections, find_published, identity_of, list_reports, push_report
from diffing.report import load_report, save_report
from diffing.types import Report
from tests.hub import LocalHub
from tests.hub.fixtures import hub
from tests.outputs.samples import hostile_report, medium_report
from tests.waiting import until

__all__ = ["hub"]
NAME = "alice/diff"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def api(hub: LocalHub) -> BoundedApi:
    return hub_api(hub.add_user("alice"))


def report_of(model_a: str = "org/base", sha: str = "1" * 40) -> Report:
    """A small report of two models on the Hub."""
    report = medium_report(train=10, heldout=12)
    info = replace(report.model_a, id=f"{model_a}@{sha}")
    return public_report(replace(report, model_a=info, tables={}))


def commits(hub: LocalHub) -> int:
    return len(hub.repo(NAME, "dataset").commits("main"))


def test_it_comes_back_equal(hub: LocalHub, api: BoundedApi, tmp_path: Path) -> None:
    report = public_report(hostile_report())
    before = len(hub.requests)
    pushed = push_report(report, NAME, api=api)
    assert pushed.changed
    assert len([r for r in hub.requests[before:] if r.method == "POST" and "/commit/" in r.path]) == 1
    assert load_report(NAME, api.token) == load_report(save_report(report, tmp_path / "local"))
    assert load_report(f"{NAME}@{pushed.commit}", False) == load_report(NAME, False)


def test_the_same_again_makes_no_commit_and_another_run_replaces_it(hub: LocalHub, api: BoundedApi) -> None:
    old = replace(report_of(), tables={"llm_differences": ({"prompt_id": "p", "has": "x"},)})
    first = push_report(old, NAME, api=api)
    api.upload_file(path_or_fileobj=b"mine", path_in_repo="notes/own.txt", repo_id=NAME, repo_type="dataset")
    number = commits(hub)
    again = push_report(old, NAME, api=api)
    assert not again.changed
    assert commits(hub) == number
    second = push_report(report_of(sha="2" * 40), NAME, api=api)
    assert second.changed
    assert commits(hub) == number + 1
    files = hub.repo(NAME, "dataset").files("main")
    assert "notes/own.txt" in files
    assert not {"differences/train.parquet", "report/llm_differences.parquet"} & set(files)
    assert load_report(NAME, False) == report_of(sha="2" * 40)
    assert load_report(f"{NAME}@{first.commit}", False) == old


def test_what_is_not_the_same_pair_is_not_replaced(hub: LocalHub, api: BoundedApi) -> None:
    push_report(report_of(), NAME, api=api)
    other = report_of("org/other")
    with pytest.raises(SettingError, match=r"alice/diff holds .* org/base@1+ and .* to replace it \(--overwrite\)"):
        push_report(other, NAME, api=api)
    assert load_report(NAME, False) == report_of()
    push_report(other, NAME, api=api, overwrite=True)
    assert load_report(NAME, False) == other


def test_a_dataset_that_is_not_ours_is_never_touched(hub: LocalHub, api: BoundedApi) -> None:
    api.create_repo(NAME, repo_type="dataset")
    api.upload_file(path_or_fileobj=b"a,b\n", path_in_repo="data.csv", repo_id=NAME, repo_type="dataset")
    number = commits(hub)
    for overwrite in (False, True):
        with pytest.raises(
            SettingError, match=r"alice/diff exists and holds no diff \(its card has no tag model-diff\)"
        ):
            push_report(report_of(), NAME, api=api, overwrite=overwrite)
    assert commits(hub) == number


def test_an_empty_dataset_is_filled(hub: LocalHub, api: BoundedApi) -> None:
    api.create_repo(NAME, repo_type="dataset")
    assert push_report(report_of(), NAME, api=api).changed


def test_private_is_private(hub: LocalHub, api: BoundedApi) -> None:
    push_report(report_of(), NAME, api=api, private=True)
    assert load_report(NAME, api.token) == report_of()
    with pytest.raises(HubError, match=r"There is no folder alice/diff, and no report on the Hub: .* is private"):
        load_report(NAME, False)
    push_report(report_of("org/x"), "alice/open", api=api)
    with pytest.raises(SettingError, match="alice/open exists and is public: make it private in its settings"):
        push_report(report_of("org/x"), "alice/open", api=api, private=True)


def test_somebody_elses_name(hub: LocalHub, api: BoundedApi) -> None:
    hub.add_user("bob")
    with pytest.raises(HubError, match=r"may not write to bob/diff \(403"):
        push_report(report_of(), "bob/diff", api=api)
    with pytest.raises(SettingError, match="'diff' names no dataset: expected user/name"):
        push_report(report_of(), "diff", api=api)


def test_published_diffs_are_found_by_their_models(hub: LocalHub, api: BoundedApi) -> None:
    bob = hub_api(hub.add_user("bob"))
    push_report(report_of(), NAME, api=api)
    push_report(report_of("org/other"), "alice/other", api=api)
    push_report(report_of(), "bob/copy", api=bob)
    push_report(report_of(sha="2" * 40), "bob/newer", api=bob)
    push_report(report_of(), "bob/secret", api=bob, private=True)
    assert [each.repo_id for each in list_reports(api)] == [NAME, "alice/other", "bob/copy", "bob/newer"]
    assert [each.repo_id for each in list_reports(api, "org/base")] == [NAME, "bob/copy", "bob/newer"]
    assert list_reports(api, "org/none") == ()
    wanted = identity_of(report_of())
    for mine, expected in ((None, NAME), ("bob", "bob/copy"), ("carol", NAME)):
        found = find_published(api, wanted, mine=mine)
        assert found is not None
        assert (found.repo_id, found.identity) == (expected, wanted)
    assert find_published(api, replace(wanted, settings="0" * 32)) is None
    assert find_published(api, replace(wanted, model_a="folder@0123", model_b="other@4567")) is None


def test_a_hostile_card_among_them_hides_nothing(hub: LocalHub, api: BoundedApi) -> None:
    push_report(report_of(), NAME, api=api)
    cards = {
        "a": b"---\ntags: [model-diff]\nself: 1\nignore_metadata_errors: 2\n---\n",
        "b": b"---\ntags: [model-diff]\nmodel_diff: [1]\n---\n",
        "c": b"---\ntags: [model-diff]\nmodel_diff: {model_a: 1, model_b: x, settings: y}\n---\n",
    }
    for name, card in cards.items():
        api.create_repo(f"alice/{name}", repo_type="dataset")
        file = CommitOperationAdd(path_in_repo="README.md", path_or_fileobj=card)
        api.create_commit(f"alice/{name}", [file], commit_message="A card", repo_type="dataset")
    assert [each.repo_id for each in list_reports(api)] == [NAME]


def test_a_collection_is_kept_per_model(hub: LocalHub, api: BoundedApi) -> None:
    report = report_of()
    push_report(report, NAME, api=api)
    models = (report.model_a, report.model_b)
    urls = add_to_collections(api, NAME, models)
    assert add_to_collections(api, NAME, models) == urls
    assert len(hub.collections) == len(urls) == 2
    titles = {each.title: [item.id for item in each.items] for each in hub.collections}
    assert titles["Behavioral differences of org/base"] == [NAME]


def test_a_report_that_is_not_as_it_should_be(hub: LocalHub, api: BoundedApi, tmp_path: Path) -> None:
    push_report(report_of(), NAME, api=api)

    def put(path: str, content: bytes) -> None:
        api.upload_file(path_or_fileobj=content, path_in_repo=path, repo_id=NAME, repo_type="dataset")

    asked = len(hub.requests)
    put("report/report.json", b'{"schema_version": 2, "files": {"../../evil.parquet": "0"}}')
    with pytest.raises(HubError, match=r"was not made by diffing: no table can be named '\.\./\.\./evil\.parquet'"):
        load_report(NAME, False)
    assert not any("evil" in each.path for each in hub.requests[asked:])
    put("report/report.json", b"[[[")
    with pytest.raises(HubError, match="the report in alice/diff is damaged: expected JSON"):
        load_report(NAME, False)
    put("report/report.json", b'{"schema_version": 2, "files": {"prompts.parquet": "0"}}')
    with pytest.raises(SettingError, match=r"is damaged \(model_a is missing\)"):
        load_report(NAME, False)
    with pytest.raises(HubError, match="alice/diff has no revision v9"):
        load_report(f"{NAME}@v9", False)
    api.create_repo("alice/empty", repo_type="dataset")
    with pytest.raises(HubError, match=r"alice/empty has no report/report\.json; expected one that `diffing push`"):
        load_report("alice/empty", False)


def test_a_folder_that_exists_wins(hub: LocalHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    report = report_of()
    save_report(report, Path("alice/diff"))
    asked = len(hub.requests)
    assert load_report(NAME, False) == report
    assert len(hub.requests) == asked
    with pytest.raises(SettingError, match=r"is not a report: expected a folder with report\.json"):
        load_report(Path("alice/none"))
    assert len(hub.requests) == asked


def test_what_comes_from_a_private_repository_is_published_privately(hub: LocalHub, api: BoundedApi) -> None:
    api.create_repo("alice/secret", private=True)
    report = report_of("alice/secret")
    pushed = push_report(report, NAME, api=api)
    assert pushed.private_as == "alice/secret"
    assert hub.repo(NAME, "dataset").private
    # what its owner has made public since stays public
    api.update_repo_settings(NAME, repo_type="dataset", private=False)
    assert not push_report(report, NAME, api=api).changed
    assert not hub.repo(NAME, "dataset").private
    push_report(report_of(), "alice/other", api=api)
    with pytest.raises(SettingError, match="alice/other exists and is public, and alice/secret is private"):
        push_report(report, "alice/other", api=api, overwrite=True)


@pytest.mark.parametrize("setting", [{"prompts": "alice/asked:main/test"}, {"model_a": "recorded:alice/asked"}])
def test_prompts_and_recordings_count_as_well(setting: dict[str, str], hub: LocalHub, api: BoundedApi) -> None:
    api.create_repo("alice/asked", repo_type="dataset", private=True)
    report = report_of()
    report = replace(report, settings={**report.settings, **setting})
    assert push_report(report, NAME, api=api).private_as == "alice/asked"
    assert push_report(report_of(), "alice/open", api=api).private_as is None


def test_a_diff_that_came_up_meanwhile_is_not_overwritten(hub: LocalHub, api: BoundedApi) -> None:
    push_report(report_of(), NAME, api=api)
    go = threading.Event()
    hub.faults.add(method="POST", path=r"/preupload/", until=go)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(push_report, report_of(sha="2" * 40), NAME, api=api)
        try:
            until(lambda: hub.faults.planted[0].times == 0)
            other = replace(report_of("org/else"), notes=("another pair",))
            theirs = push_report(other, NAME, api=hub_api(hub.add_user("alice")), overwrite=True)
        finally:
            go.set()
        with pytest.raises(HubError, match="changed in the meantime"):
            slow.result()
    assert hub.repo(NAME, "dataset").commits("main")[0].sha == theirs.commit
