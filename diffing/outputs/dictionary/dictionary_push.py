"""Pushes a trained crosscoder or trained adapters to the Hub: weights, configuration and a card, in one commit."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

from diffing.errors import SettingError
from diffing.hub import commit, find_repository, head_of, hub_errors, is_private, metadata_of, read_file
from diffing.model_ref import is_hub_name, read_ref
from diffing.outputs.dictionary.dictionary_card import MODELS, dictionary_card, tag_of
from diffing.outputs.dictionary.parts import PublishedDictionary, dictionary_of
from diffing.outputs.phrasing import one_line
from diffing.types import Report

_README, _GIT = "README.md", ".gitattributes"


@dataclass(frozen=True, slots=True)
class PushedDictionary:
    """The outcome of a push."""

    url: str
    """The repository's page."""
    commit: str
    """The commit that holds the dictionary."""
    changed: bool
    """Whether this push made the commit; False if the repository had the same content already."""
    private_as: str | None = None
    """The private model because of which the new repository was made private; None if there is none."""


def dictionary_files(published: PublishedDictionary, repo_id: str) -> dict[str, bytes | Path]:
    """Returns all files of the repository by path: the card, and the files of the folder.

    Args:
        published: The dictionary and the run that trained it.
        repo_id: The repository, `user/name`.
    """
    folder = published.folder
    found = sorted(file for file in folder.rglob("*") if file.suffix in (".json", ".safetensors") and file.is_file())
    files = {file.relative_to(folder).as_posix(): file for file in found}
    return {_README: dictionary_card(published, repo_id), **files}


def push_dictionary(
    report: Report, trainings: Path, repo_id: str, *, api: HfApi, private: bool = False, overwrite: bool = False
) -> PushedDictionary:
    """Publishes the crosscoder or the adapters that a run trained; the same again makes no commit.

    Args:
        report: The report of the run.
        trainings: The folder in which trainings are kept.
        repo_id: The model repository, `user/name`. A missing one is created, and is private if a model is private.
        api: A Hub client for the account that publishes.
        private: Whether a new repository is private.
        overwrite: Whether to replace that of other models.

    Raises:
        SettingError: The run trained nothing, it is not kept any more, or the name is taken by something else.
        HubError: The account has no write access, or the Hub cannot be reached.
    """
    if not is_hub_name(repo_id):
        raise SettingError(f"{repo_id!r:.100} names no model repository: expected user/name")
    published = dictionary_of(report, trainings)
    models = published.models
    private_as = next((name for name in published.repositories if is_private(api, name)), None)
    found = _found(api, repo_id, published, private=bool(private or private_as), overwrite=overwrite)
    if found is None:
        with hub_errors(repo_id, doing="write"):
            api.create_repo(repo_id, private=bool(private or private_as) or None)
        found = frozenset(), head_of(api, repo_id)
    there, head = found
    files = dictionary_files(published, repo_id)
    made = commit(
        api,
        repo_id,
        [
            *(CommitOperationAdd(path_in_repo=path, path_or_fileobj=content) for path, content in files.items()),
            *(CommitOperationDelete(path_in_repo=path) for path in sorted(there - files.keys() - {_GIT})),
        ],
        message=one_line(f"{published.kind.capitalize()} of {models[0]} and {models[1]}", 100),
        parent=head,
    )
    return PushedDictionary(f"{api.endpoint}/{repo_id}", made.oid, made.oid != head, private_as)


def _found(
    api: HfApi, repo_id: str, published: PublishedDictionary, *, private: bool, overwrite: bool
) -> tuple[frozenset[str], str] | None:
    """Returns the repository's files and its commit if a push may write to it; None if it does not exist yet."""
    found = find_repository(api, repo_id)
    if found is None:
        return None
    if private and not found.private:
        raise SettingError(
            f"The repository {repo_id} exists and is public: make it private in its settings, or give another name"
        )
    if found.files <= {_GIT}:
        return frozenset(), found.head
    card = read_file(api, repo_id, _README, revision=found.head) if _README in found.files else None
    _check_replaceable(repo_id, metadata_of(card or b""), published, overwrite=overwrite)
    return found.files, found.head


def _check_replaceable(
    repo_id: str, metadata: Mapping[str, object], published: PublishedDictionary, *, overwrite: bool
) -> None:
    tag, tags, own = tag_of(published.kind), metadata.get("tags"), metadata.get(MODELS)
    if not isinstance(tags, list) or tag not in tags or not isinstance(own, list):
        raise SettingError(
            f"The repository {repo_id} exists and holds no {published.kind} (its card has no tag {tag}): give another "
            "name"
        )
    pair = [str(read_ref(str(model)).unpinned) for model in own]
    if pair != [str(read_ref(model).unpinned) for model in published.models] and not overwrite:
        raise SettingError(
            f"The repository {repo_id} holds the {published.kind} of {one_line(' and '.join(pair), 200)}: give another "
            "name, or allow to replace it (--overwrite)"
        )
