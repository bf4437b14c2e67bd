"""Publishes a family of models as a Hub dataset, in one commit: tables, a card, and the page."""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

from diffing.errors import SettingError
from diffing.family import Family
from diffing.hub import commit, find_repository, head_of, hub_errors, metadata_of, read_file
from diffing.model_ref import is_hub_name, read_ref
from diffing.outputs.dataset.dataset_push import PushResult
from diffing.outputs.dataset.identity import model_tag
from diffing.outputs.dataset.privacy import private_part
from diffing.outputs.family.family_page import SHOWN, family_page, in_words, separation_in_words
from diffing.outputs.family.tables import TABLES, table_files
from diffing.outputs.figures.svg import file_of
from diffing.outputs.figures.tree import described, tree
from diffing.outputs.markdown_escape import code_cell, prose
from diffing.outputs.phrasing import count, one_line, percent, prompts_in
from diffing.rendering import environment, templates_of

if TYPE_CHECKING:
    from jinja2 import Template

TAG = "diffing-family"
"""The tag of all published families."""
ENTRY = "diffing_family"
"""The key of the models in the card's YAML."""
_README, _GIT = "README.md", ".gitattributes"
_WIDTH = 760
"""Width of the picture of the tree, in pixels."""


def family_files(family: Family) -> dict[str, bytes]:
    """Returns all files of the dataset by path; the same family always gives the same bytes.

    Args:
        family: The models, without addresses of servers (`public_report`).
    """
    tables = table_files(family)
    picture = tree(family)
    assert picture.height is not None, "a tree has the height of its rows"
    drawn = file_of(picture.body, _WIDTH, picture.height, picture.name, picture.description)
    return {
        _README: _card(family, tables),
        **{f"{name}/{name}.parquet": content for name, content in tables.items()},
        "tree.svg": drawn,
        "family.html": family_page(family, {}).encode("utf-8", errors="replace"),
    }


def push_family(
    family: Family, repo_id: str, *, api: HfApi, private: bool = False, overwrite: bool = False
) -> PushResult:
    """Publishes a family, or updates the dataset of the same models; the same family again makes no commit.

    Args:
        family: The models, without addresses of servers (`public_report`).
        repo_id: The dataset, `user/name`. A missing one is created, and is private if a report rests on something
            private.
        api: A Hub client for the account that publishes.
        private: Whether the dataset must be private.
        overwrite: Whether to replace a family of other models.

    Raises:
        SettingError: The name is taken by something else, by other models, or by a public dataset although a private
            one is required.
        HubError: The account has no write access, or the Hub cannot be reached.
    """
    if repo_id.count("/") != 1 or not is_hub_name(repo_id):
        raise SettingError(f"{repo_id!r:.100} names no dataset: expected user/name")
    private_as = next(filter(None, (private_part(pair.report, api) for pair in family.pairs)), None)
    there = _there(api, repo_id, family, private_as, private=private, overwrite=overwrite)
    if there is None:
        with hub_errors(repo_id, doing="write", repo_type="dataset"):
            api.create_repo(repo_id, repo_type="dataset", private=True if private or private_as else None)
        there = frozenset(), head_of(api, repo_id, repo_type="dataset")
    files, (old, head) = family_files(family), there
    gone = sorted(path for path in old if path in _ours() and path not in files)
    made = commit(
        api,
        repo_id,
        [
            *(CommitOperationAdd(path_in_repo=path, path_or_fileobj=content) for path, content in files.items()),
            *(CommitOperationDelete(path_in_repo=path) for path in gone),
        ],
        message=one_line(f"Behavioural differences of {', '.join(family.names)}", 100),
        repo_type="dataset",
        parent=head,
    )
    url = f"{api.endpoint}/datasets/{repo_id}"
    return PushResult(repo_id, url, made.oid, made.oid != head, None if private else private_as)


def _ours() -> frozenset[str]:
    """The paths that an earlier push may have written."""
    return frozenset(f"{name}/{name}.parquet" for name in TABLES)


def _there(
    api: HfApi, repo_id: str, family: Family, private_as: str | None, *, private: bool, overwrite: bool
) -> tuple[frozenset[str], str] | None:
    """Returns the files and the commit of the dataset if a push may write to it; None if it does not exist yet."""
    found = find_repository(api, repo_id, repo_type="dataset")
    if found is None:
        return None
    if not found.private and (private or private_as):
        why = "" if private else f", and {private_as} is private"
        raise SettingError(
            f"The dataset {repo_id} exists and is public{why}: make it private in its settings, or give another name"
        )
    if not found.files <= {_GIT}:
        has_card = _README in found.files
        card = read_file(api, repo_id, _README, repo_type="dataset", revision=found.head) if has_card else None
        _check_replaceable(repo_id, metadata_of(card or b""), family, overwrite=overwrite)
    return found.files, found.head


def _check_replaceable(repo_id: str, metadata: Mapping[str, object], family: Family, *, overwrite: bool) -> None:
    tags, own = metadata.get("tags"), metadata.get(ENTRY)
    if not isinstance(tags, list) or TAG not in tags or not isinstance(own, list):
        raise SettingError(
            f"The dataset {repo_id} exists and holds no family of models (its card has no tag {TAG}): give another name"
        )
    if sorted(_unpinned(str(model)) for model in own) != sorted(_unpinned(info.id) for info in family.models):
        if overwrite:
            return
        raise SettingError(
            f"The dataset {repo_id} holds a family of other models ({one_line(', '.join(map(str, own)), 200)}): give "
            "another name, or allow to replace it (--overwrite)"
        )


def _unpinned(model: str) -> str:
    return str(read_ref(model).unpinned)


def _card(family: Family, tables: Mapping[str, bytes]) -> bytes:
    """Returns the dataset's README.md."""
    report = family.pairs[0].report
    text = _template().render(
        metadata=_metadata(family, tables),
        family=family,
        prompts={split: prompts_in(report, split) for split in ("train", "heldout")},
        tree=described(family),
        forks=[
            (
                in_words(family, branch.left),
                in_words(family, branch.right),
                [separation_in_words(family, each) for each in branch.separations[:SHOWN]],
                len(branch.separations),
            )
            for branch in reversed(family.branches)
        ],
        unique=[
            (family.names[one], [separation_in_words(family, each) for each in family.unique[one][:SHOWN]])
            for one in family.order
            if family.unique[one]
        ],
        tables={name: TABLES[name] for name in tables},
        version=report.versions.get("diffing", ""),
    )
    return text.encode("utf-8", errors="replace")


@cache
def _template() -> "Template":
    # no automatic escaping, since this is not HTML: every value from outside goes through one of the filters
    templates = environment(templates_of(__package__), escapes=False)
    templates.filters |= {"md": prose, "code": code_cell}
    templates.globals |= {"percent": percent, "count": count}
    return templates.get_template("README.md.jinja")


def _metadata(family: Family, tables: Mapping[str, bytes]) -> str:
    import yaml

    repositories = (name for info in family.models for name in info.ref.repositories)
    metadata: dict[str, Any] = {
        "pretty_name": f"Behavioural differences of {', '.join(family.names)}",
        "license": "cc-by-4.0",
        "annotations_creators": ["machine-generated"],
        "tags": [TAG, *map(model_tag, dict.fromkeys(repositories))],
        "configs": [
            {
                "config_name": name,
                **({"default": True} if name == "pairs" else {}),
                "data_files": [{"split": name, "path": f"{name}/{name}.parquet"}],
            }
            for name in tables
        ],
        ENTRY: [info.id for info in family.models],
    }
    return str(yaml.safe_dump(metadata, sort_keys=False, allow_unicode=False, width=1000))
