"""Publishes a report as a Hub dataset in one commit.

An existing dataset is replaced only if it holds a diff, and without `overwrite` only a diff of the same two models.
"""

import re
import tempfile
from dataclasses import dataclass, replace

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

from diffing.errors import SettingError
from diffing.hub import commit, find_repository, head_of, hub_errors, metadata_of, read_file
from diffing.outputs.address_removal import public_report
from diffing.outputs.dataset.configs import configs_of
from diffing.outputs.dataset.dataset_card import dataset_card
from diffing.outputs.dataset.identity import TAG, RunIdentity, identity_in, identity_of
from diffing.outputs.dataset.privacy import private_part
from diffing.outputs.figures import BADGE, CHART, badge, rates_file
from diffing.outputs.phrasing import one_line
from diffing.report import save_report
from diffing.report.dataset_download import FOLDER
from diffing.report.index import index_of
from diffing.types import Report

README = "README.md"
_CONFIGS = ("findings", "responses", "judgements", "differences", "features", "prompts")
_OURS = re.compile(rf"({'|'.join(_CONFIGS)})/[a-z]+\.parquet|{FOLDER}/[a-z0-9_]+\.(parquet|json)|(chart|badge)\.svg")
"""Paths of files that a push may remove if they are no longer part of the diff."""
_GIT = ".gitattributes"


@dataclass(frozen=True, slots=True)
class PushResult:
    """The result of a push."""

    repo_id: str
    """The dataset."""
    url: str
    """The dataset's web page."""
    commit: str
    """The commit that holds the report."""
    changed: bool
    """Whether this push made the commit; False if the dataset had the same content already."""
    private_as: str | None = None
    """The private repository because of which the new dataset was made private; None if there is none."""


def dataset_files(report: Report, repo_id: str) -> dict[str, bytes]:
    """Returns all files of the dataset by path, without addresses of servers.

    The same report always gives the same bytes.

    Args:
        report: The report to publish.
        repo_id: The dataset, `user/name`, which the card names.
    """
    report = public_report(report)
    with tempfile.TemporaryDirectory() as folder:
        saved = {path.name: path.read_bytes() for path in sorted(save_report(report, folder).iterdir())}
    tables = {name: content for name, content in saved.items() if name.endswith(".parquet")}
    configs = configs_of(report, tables)
    picture = rates_file(report)
    return {
        README: dataset_card(report, repo_id, configs, CHART if picture else None),
        **({CHART: picture} if picture else {}),
        BADGE: badge(report),
        **{config.path(split): content for config in configs for split, content in config.splits.items()},
        **{f"{FOLDER}/{name}": content for name, content in saved.items()},
    }


def push_report(
    report: Report, repo_id: str, *, api: HfApi, private: bool | None = None, overwrite: bool = False
) -> PushResult:
    """Publishes a report, or updates the dataset of the same two models; the same report again makes no commit.

    Args:
        report: The report to publish.
        repo_id: The dataset, `user/name`. A missing one is created, and is private if the report rests on something
            private.
        api: A Hub client for the account that publishes.
        private: True makes a new dataset private; None leaves an existing dataset as it is.
        overwrite: Whether to replace a diff of two other models.

    Raises:
        SettingError: The name is taken by something else, by a diff of other models, or by a public dataset although a
            private one is required.
        HubError: The account has no write access, somebody else changed the dataset meanwhile, or the Hub cannot be
            reached.
    """
    if repo_id.count("/") != 1:
        raise SettingError(f"{repo_id!r:.100} names no dataset: expected user/name")
    report = public_report(report)
    there = _there(api, repo_id, identity_of(report), overwrite=overwrite)
    private_as = None
    if there is None:
        private_as = None if private else private_part(report, api)
        with hub_errors(repo_id, doing="write", repo_type="dataset"):
            # not `exist_ok`: a dataset that was created since the check has not been checked
            api.create_repo(repo_id, repo_type="dataset", private=True if private_as else private)
        there = _ExistingDataset(head_of(api, repo_id, repo_type="dataset"), frozenset(), private=True, same_pair=False)
    elif not there.private:
        _check_may_be_public(report, repo_id, api, there, private=bool(private))
    files = dataset_files(report, repo_id)
    gone = sorted(path for path in there.files if _OURS.fullmatch(path) and path not in files)
    names = index_of(report).names
    made = commit(
        api,
        repo_id,
        [
            *(CommitOperationAdd(path_in_repo=path, path_or_fileobj=content) for path, content in files.items()),
            *(CommitOperationDelete(path_in_repo=path) for path in gone),
        ],
        message=one_line(f"Behavioural differences: {names.a} and {names.b}", 100),
        repo_type="dataset",
        parent=there.head,
    )
    url = f"{api.endpoint}/datasets/{repo_id}"
    return PushResult(repo_id, url, made.oid, changed=made.oid != there.head, private_as=private_as)


@dataclass(frozen=True, slots=True)
class _ExistingDataset:
    """A dataset that may be written to."""

    head: str
    """The commit that was checked; the push must be based on it."""
    files: frozenset[str]
    """The paths of its files."""
    private: bool
    """Whether only its owner can read it."""
    same_pair: bool
    """Whether it holds a diff of the same two models."""


def _check_may_be_public(report: Report, repo_id: str, api: HfApi, there: _ExistingDataset, *, private: bool) -> None:
    """Refuses to put a report with something private into a public dataset, unless that has the same pair already."""
    if private:
        raise SettingError(
            f"The dataset {repo_id} exists and is public: make it private in its settings, or give another name"
        )
    if not there.same_pair and (name := private_part(report, api)):
        raise SettingError(
            f"The dataset {repo_id} exists and is public, and {name} is private: make the dataset private in its "
            "settings, or give another name"
        )


def _there(api: HfApi, repo_id: str, identity: RunIdentity, *, overwrite: bool) -> _ExistingDataset | None:
    """Returns the dataset if a push may write to it; None if it does not exist yet."""
    existing = find_repository(api, repo_id, repo_type="dataset")
    if existing is None:
        return None
    there = _ExistingDataset(existing.head, existing.files, existing.private, same_pair=False)
    if there.files <= {_GIT}:
        return there
    card = read_file(api, repo_id, README, repo_type="dataset", revision=there.head) if README in there.files else None
    found = identity_in(metadata_of(card or b""))
    if found is None:
        raise SettingError(
            f"The dataset {repo_id} exists and holds no diff (its card has no tag {TAG}): give another name"
        )
    if not found.same_pair(identity) and not overwrite:
        raise SettingError(
            f"The dataset {repo_id} holds the diff of {one_line(found.model_a, 100)} and "
            f"{one_line(found.model_b, 100)}: give another name, or allow to replace it (--overwrite)"
        )
    return replace(there, same_pair=found.same_pair(identity))
