"""A family on the Hub: tables of pairs, differences and separations with a card; nothing else is overwritten."""

import io
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from pyarrow.parquet import read_table

from diffing.cli.family import family_in
from diffing.errors import SettingError
from diffing.hub import hub_api, metadata_of
from diffing.outputs.family.dataset import family_files, push_family
from tests.family.samples import family
from tests.hostile import CORE
from tests.hub import LocalHub
from tests.hub.fixtures import hub

__all__ = ["hub"]


def rows(files: dict[str, bytes], name: str) -> list[dict]:
    return read_table(io.BytesIO(files[f"{name}/{name}.parquet"])).to_pylist()


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return family_files(family())


def test_the_tables_hold_pairs_differences_and_separations(files: dict[str, bytes]) -> None:
    known = family()
    pairs = rows(files, "pairs")
    assert [(row["model_a"], row["model_b"], row["told_apart"]) for row in pairs] == [
        (known.models[pair.first].id, known.models[pair.second].id, pair.told_apart.value) for pair in known.pairs
    ]
    differences = rows(files, "differences")
    assert len(differences) == sum(row["confirmed_differences"] for row in pairs)
    first = differences[0]
    assert first["more"] in (first["model_a"], first["model_b"])
    assert first["net_difference_low"] <= first["net_difference"] <= first["net_difference_high"]
    separations = rows(files, "separations")
    assert {"more": ["org/dpo", "org/rlhf"], "less": ["org/base", "org/sft"]}.items() <= separations[0].items()
    assert len({str(row) for row in separations}) == len(separations)


def test_the_card_has_the_matrix_the_tree_and_the_files(files: dict[str, bytes]) -> None:
    card = files["README.md"].decode()
    metadata = metadata_of(files["README.md"])
    assert metadata["diffing_family"] == ["org/base", "org/sft", "org/dpo", "org/rlhf"]
    assert [each["config_name"] for each in metadata["configs"]] == ["pairs", "differences", "separations"]
    assert all(each["data_files"][0]["path"] in files for each in metadata["configs"])
    rendered = MarkdownIt("commonmark").enable("table").render(card.split("---\n", 2)[2])
    assert rendered.count("<table>") == 2 + len(metadata["configs"])
    assert "| base |  | 70% (2) | 95% (3) | 99% (3) |" in card
    assert "![Tree of the models](tree.svg)" in card
    assert files["tree.svg"].startswith(b"<svg")
    assert b'href="pair-' not in files["family.html"]


@pytest.mark.parametrize("attack", list(CORE.values())[:4])
def test_hostile_names_are_text(attack: str) -> None:
    made = family_files(family((f"org/{attack}", "org/sft", "org/dpo", "org/rlhf")))
    assert made["README.md"].count(b"\n## ") == files_headings()
    assert metadata_of(made["README.md"])["tags"][0] == "diffing-family"


def files_headings() -> int:
    return family_files(family())["README.md"].count(b"\n## ")


def test_a_family_is_published_once_and_nothing_else_is_overwritten(hub: LocalHub) -> None:
    api = hub_api(hub.add_user("alice"))
    pushed = push_family(family(), "alice/family", api=api)
    assert pushed.changed
    assert not push_family(family(), "alice/family", api=api).changed
    others = family(("org/base", "org/sft", "org/dpo", "org/other"))
    with pytest.raises(SettingError, match=r"holds a family of other models .* or allow to replace it \(--overwrite\)"):
        push_family(others, "alice/family", api=api)
    assert push_family(others, "alice/family", api=api, overwrite=True).changed
    api.create_repo("alice/data", repo_type="dataset")
    api.upload_file(path_or_fileobj=b"x", path_in_repo="x.txt", repo_id="alice/data", repo_type="dataset")
    with pytest.raises(SettingError, match="exists and holds no family of models"):
        push_family(family(), "alice/data", api=api)
    with pytest.raises(SettingError, match="exists and is public: make it private"):
        push_family(others, "alice/family", api=api, private=True)
    with pytest.raises(SettingError, match="names no dataset: expected user/name"):
        push_family(family(), "family", api=api)


def test_the_family_of_a_private_model_is_private(hub: LocalHub) -> None:
    api = hub_api(hub.add_user("alice"))
    api.create_repo("alice/secret", private=True)
    pushed = push_family(family(("alice/secret", "org/sft", "org/dpo", "org/rlhf")), "alice/family", api=api)
    assert pushed.private_as == "alice/secret"
    assert api.dataset_info("alice/family").private


def test_a_folder_that_lacks_a_pair_is_refused(tmp_path: Path) -> None:
    assert family_in(str(tmp_path)) is None
    (tmp_path / "family.json").write_text("{}", encoding="utf-8")
    (tmp_path / "pair-1-3").mkdir()
    with pytest.raises(SettingError, match="lacks the report pair-1-2: expected one for each two models"):
        family_in(str(tmp_path))
