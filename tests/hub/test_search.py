"""Lists of models and datasets, and collections of them."""

from pathlib import Path

import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

from tests.hub import LocalHub
from tests.hub.conftest import put


def diff(api: HfApi, repo_id: str, *tags: str, private: bool = False) -> None:
    api.create_repo(repo_id, repo_type="dataset", private=private)
    quoted = ", ".join(f'"{tag}"' for tag in tags)
    card = f"---\nlicense: mit\nsize_categories: n<1K\ntags: [{quoted}]\n---\nSee https://arxiv.org/abs/2602.10371\n"
    put(api, repo_id, {"README.md": card.encode()}, repo_type="dataset")


@pytest.fixture
def diffs(alice: HfApi, bob: HfApi) -> None:
    diff(alice, "alice/one", "model-diff", "model-diff:org/a", "model-diff:org/b")
    diff(bob, "bob/two", "model-diff", "model-diff:org/a", "model-diff:org/c")
    diff(alice, "alice/hidden", "model-diff", "model-diff:org/a", private=True)
    diff(alice, "alice/something", "news")


@pytest.mark.usefixtures("diffs")
def test_datasets_by_tags_author_and_name(alice: HfApi, bob: HfApi, nobody: HfApi) -> None:
    def found(api: HfApi, **query: object) -> list[str]:
        return [each.id for each in api.list_datasets(**query)]

    assert found(nobody, filter="model-diff") == ["bob/two", "alice/one"]
    assert found(nobody, filter=["model-diff:org/a", "model-diff:org/c"]) == ["bob/two"]
    assert found(alice, filter="model-diff", author="alice") == ["alice/hidden", "alice/one"]
    assert found(nobody, search="TWO") == ["bob/two"]
    assert found(nobody, filter="model-diff:org") == []
    assert found(nobody, filter=["license:mit", "size_categories:n<1K", "arxiv:2602.10371"], limit=1) == [
        "alice/something"
    ]


@pytest.mark.usefixtures("diffs")
def test_cards_come_when_asked_for(nobody: HfApi) -> None:
    short = next(iter(nobody.list_datasets(author="bob")))
    assert (short.card_data, short.tags[:2]) == (None, ["model-diff", "model-diff:org/a"])
    full = next(iter(nobody.list_datasets(author="bob", full=True)))
    assert (full.card_data.license, len(full.sha)) == ("mit", 40)
    some = next(iter(nobody.list_datasets(author="bob", expand=["sha", "tags"])))
    assert (some.sha, some.private) == (full.sha, None)


def test_models_by_base(alice: HfApi, nobody: HfApi, model: str) -> None:
    alice.create_repo("alice/child")
    put(alice, "alice/child", {"README.md": b"---\nbase_model: alice/model\nbase_model_relation: adapter\n---\n"})
    assert [each.id for each in nobody.list_models(filter="base_model:alice/model")] == ["alice/child"]
    assert [each.id for each in nobody.list_models(filter="base_model:adapter:alice/model")] == ["alice/child"]
    assert [each.id for each in nobody.list_models()] == ["alice/child", "alice/model"]


def test_pages(hub: LocalHub, nobody: HfApi, tmp_path: Path) -> None:
    for number in range(130):
        hub.push_folder(f"carol/m{number}", tmp_path)
    assert len(list(nobody.list_models(author="carol"))) == 130


@pytest.mark.usefixtures("diffs")
def test_collections(hub: LocalHub, alice: HfApi, bob: HfApi) -> None:
    made = alice.create_collection("Diffs of org/a", namespace="alice", description="All of them")
    assert made.slug.startswith("alice/diffs-of-org-a-")
    again = alice.create_collection("Diffs of org/a", namespace="alice", exists_ok=True)
    assert again.slug == made.slug
    with pytest.raises(HfHubHTTPError, match="409"):
        alice.create_collection("Diffs of org/a", namespace="alice")
    alice.add_collection_item(made.slug, "alice/one", "dataset", note="The first")
    alice.add_collection_item(made.slug, "bob/two", "dataset")
    alice.add_collection_item(made.slug, "bob/two", "dataset", exists_ok=True)
    with pytest.raises(HfHubHTTPError, match="409"):
        alice.add_collection_item(made.slug, "bob/two", "dataset")
    with pytest.raises(RepositoryNotFoundError, match="Repository Not Found"):
        alice.add_collection_item(made.slug, "bob/none", "dataset")
    seen = bob.get_collection(made.slug)
    assert [(item.item_id, item.note) for item in seen.items] == [("alice/one", "The first"), ("bob/two", None)]
    with pytest.raises(HfHubHTTPError, match="403"):
        bob.add_collection_item(made.slug, "alice/one", "dataset")
    assert [each.slug for each in bob.list_collections(owner="alice", item="datasets/bob/two")] == [made.slug]
    assert list(bob.list_collections(item="models/bob/two")) == []
    alice.update_collection_item(made.slug, seen.items[1].item_object_id, position=0)
    alice.delete_collection_item(made.slug, seen.items[0].item_object_id)
    alice.update_collection_metadata(made.slug, private=True)
    assert [item.id for item in hub.collections[0].items] == ["bob/two"]
    with pytest.raises(HfHubHTTPError, match="Collection not found"):
        bob.get_collection(made.slug)
    alice.delete_collection(made.slug)
    assert hub.collections == []
