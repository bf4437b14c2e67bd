"""Files come in as commits and come out as they were."""

from pathlib import Path

import pytest
from huggingface_hub import CommitOperationDelete, HfApi, HfFileSystem
from huggingface_hub.errors import HfHubHTTPError, RemoteEntryNotFoundError

from tests.hub import LocalHub
from tests.hub.conftest import README, put


def test_a_commit_has_its_files_its_author_and_its_parent(hub: LocalHub, alice: HfApi, model: str) -> None:
    newest, first = alice.list_repo_commits("alice/model")
    assert (newest.commit_id, newest.title, newest.authors) == (model, "Add files", ["alice"])
    assert first.title == "initial commit"
    repo = hub.repo("alice/model")
    assert repo.commits()[0].parent == first.commit_id
    files = repo.files()
    assert files.pop(".gitattributes").startswith(b"*.7z filter=lfs")
    assert files == {"README.md": README, "weights.safetensors": bytes(100)}


def test_small_files_travel_in_the_commit_and_large_ones_before_it(hub: LocalHub, alice: HfApi, model: str) -> None:
    def uploads() -> int:
        return sum(request.method == "PUT" for request in hub.requests)

    assert uploads() == 1
    infos = {info.path: info for info in alice.get_paths_info("alice/model", ["README.md", "weights.safetensors"])}
    assert infos["README.md"].lfs is None
    assert infos["weights.safetensors"].lfs.size == 100
    put(alice, "alice/model", {"again.safetensors": bytes(100)})
    assert uploads() == 1


def test_what_has_not_changed_makes_no_commit(hub: LocalHub, alice: HfApi, model: str) -> None:
    before = len(hub.repo("alice/model").commits())
    assert put(alice, "alice/model", {"README.md": README, "weights.safetensors": bytes(100)}) == model
    assert len(hub.repo("alice/model").commits()) == before


def test_a_stale_parent_is_refused(hub: LocalHub, alice: HfApi, model: str) -> None:
    put(alice, "alice/model", {"a.txt": b"1"}, parent_commit=model)
    with pytest.raises(HfHubHTTPError, match="A commit has happened since") as caught:
        put(alice, "alice/model", {"a.txt": b"2"}, parent_commit=model)
    assert caught.value.response.status_code == 412
    assert hub.repo("alice/model").files()["a.txt"] == b"1"


def test_files_and_folders_are_deleted(hub: LocalHub, alice: HfApi, model: str) -> None:
    put(alice, "alice/model", {"a/b/1.txt": b"1", "a/2.txt": b"2", "c.txt": b"3"})
    gone = [CommitOperationDelete("a/b/"), CommitOperationDelete("c.txt")]
    alice.create_commit("alice/model", gone, commit_message="Less")
    assert set(hub.repo("alice/model").files()) == {".gitattributes", "README.md", "weights.safetensors", "a/2.txt"}
    with pytest.raises(RemoteEntryNotFoundError, match="A file with this name doesn't exist"):
        alice.delete_file("c.txt", "alice/model")


def test_broken_metadata_is_refused_before_the_commit(hub: LocalHub, alice: HfApi, model: str) -> None:
    for readme, problem in (
        (b"---\ntags: [a\n---\n", "YAML parse error"),
        (b"---\nlicense: freedom\n---\n", '"license" must be one of'),
        (b"---\n- a\n---\n", "the metadata must be an object"),
    ):
        with pytest.raises(ValueError, match=problem):
            put(alice, "alice/model", {"README.md": readme})
    with pytest.warns(UserWarning, match="empty or missing yaml metadata"):
        put(alice, "alice/model", {"README.md": b"No metadata\n"})
    assert hub.repo("alice/model").files()["README.md"] == b"No metadata\n"


def test_metadata_of_datasets(alice: HfApi) -> None:
    alice.create_repo("alice/data", repo_type="dataset")
    for yaml, problem in (
        (b"configs:\n- data_files: a", r"configs\[0\].config_name"),
        (b"configs:\n- config_name: a\n- config_name: a", "a config_name twice"),
        (b"size_categories: many", '"size_categories" must be one of'),
    ):
        with pytest.raises(ValueError, match=problem):
            put(alice, "alice/data", {"README.md": b"---\n" + yaml + b"\n---\n"}, repo_type="dataset")


def test_branches_and_tags(hub: LocalHub, alice: HfApi, model: str) -> None:
    alice.create_branch("alice/model", branch="a/b")
    alice.create_tag("alice/model", tag="v1")
    there = put(alice, "alice/model", {"new.txt": b"x"}, revision="a/b")
    refs = alice.list_repo_refs("alice/model")
    assert {each.name: each.target_commit for each in refs.branches} == {"main": model, "a/b": there}
    assert [(each.name, each.target_commit) for each in refs.tags] == [("v1", model)]
    assert alice.model_info("alice/model", revision="a/b").sha == there
    assert alice.file_exists("alice/model", "new.txt", revision="a/b")
    assert not alice.file_exists("alice/model", "new.txt", revision="v1")
    with pytest.raises(HfHubHTTPError, match="409"):
        alice.create_branch("alice/model", branch="a/b")
    alice.delete_branch("alice/model", branch="a/b")
    alice.delete_tag("alice/model", tag="v1")
    assert [each.name for each in alice.list_repo_refs("alice/model").branches] == ["main"]


def test_trees_by_folder_and_whole(alice: HfApi, model: str) -> None:
    put(alice, "alice/model", {"a/b/1.txt": b"1", "a/2.txt": b"2"})
    assert [each.path for each in alice.list_repo_tree("alice/model", "a")] == ["a/b", "a/2.txt"]
    whole = [each.path for each in alice.list_repo_tree("alice/model", recursive=True)]
    assert whole == ["a", "a/b", ".gitattributes", "README.md", "a/2.txt", "a/b/1.txt", "weights.safetensors"]
    with pytest.raises(RemoteEntryNotFoundError, match="none does not exist"):
        list(alice.list_repo_tree("alice/model", "none"))


def test_downloads_whole_and_in_part(hub: LocalHub, alice: HfApi, model: str, tmp_path: Path) -> None:
    content = bytes(range(256)) * 4
    put(alice, "alice/model", {"some.bin": content, "odd name #1.txt": b"odd"})
    folder = Path(alice.snapshot_download("alice/model", cache_dir=tmp_path))
    assert (folder / "some.bin").read_bytes() == content
    assert (folder / "odd name #1.txt").read_bytes() == b"odd"
    files = HfFileSystem(endpoint=hub.endpoint, token=alice.token)
    assert files.read_block("alice/model/some.bin", 200, 300) == content[200:500]
    assert 206 in {request.status for request in hub.requests}


def test_a_model_repository_is_described_by_its_files(alice: HfApi, model: str) -> None:
    card = b"---\nbase_model: org/base\ntags: [chat]\npipeline_tag: text-generation\n---\n"
    put(alice, "alice/model", {"README.md": card, "config.json": b'{"model_type": "llama"}'})
    info = alice.model_info("alice/model", files_metadata=True)
    assert info.card_data.base_model == "org/base"
    assert info.tags == ["chat", "text-generation", "base_model:org/base", "base_model:finetune:org/base", "region:us"]
    assert (info.pipeline_tag, info.config) == ("text-generation", {"model_type": "llama"})
    assert {each.rfilename: each.size for each in info.siblings}["weights.safetensors"] == 100
    expanded = alice.model_info("alice/model", expand=["baseModels", "gated"])
    assert (expanded.base_models["models"][0]["id"], expanded.gated, expanded.sha) == ("org/base", False, None)


def test_the_same_commits_have_the_same_names(model: str) -> None:
    with LocalHub() as other:
        api = HfApi(other.endpoint, token=other.add_user("alice"))
        api.create_repo("alice/model")
        assert put(api, "alice/model", {"README.md": README, "weights.safetensors": bytes(100)}) == model


def test_an_upload_of_what_was_not_sent_is_refused(hub: LocalHub, alice: HfApi, model: str) -> None:
    hub.faults.add("PUT", "/large/", 200)  # the storage says that it has it
    with pytest.raises(RuntimeError, match=r"Error while uploading 'lost\.bin'"):
        put(alice, "alice/model", {"lost.bin": b"lost"})
    assert "lost.bin" not in hub.repo("alice/model").files()
