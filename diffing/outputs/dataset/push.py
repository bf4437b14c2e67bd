"""Publishes a report as a Hub dataset, in one commit. Replaces only datasets of ours, and only of the same pair."""

import re
import tempfile
from dataclasses import dataclass, replace

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

from diffing.errors import SettingError
from diffing.hub import commit, head_of, hub_errors, read_file
from diffing.outputs.dataset.card import dataset_card
from diffing.outputs.dataset.configs import configs_of
from diffing.outputs.dataset.identity import TAG, Identity, identity_in, identity_of, metadata_of
from diffing.outputs.dataset.privacy import private_part
from diffing.outputs.figures import forest_file
from diffing.outputs.phrasing import one_line
from diffing.outputs.without_addresses import public_report
from diffing.report import save_report
from diffing.report.dataset_download import FOLDER
from diffing.report.index import index_of
from diffing.types import Report

README, CHART = "README.md", "chart.svg"
_CONFIGS = ("findings", "responses", "judgements", "differences", "features", "prompts")
_OURS = re.compile(rf"({'|'.join(_CONFIGS)})/[a-z]+\.parquet|{FOLDER}/[a-z0-9_]+\.(parquet|json)|chart\.svg")
"""Files that a push may remove when they are no longer part of the diff."""
_GIT = ".gitattributes"


@dataclass(frozen=True, slots=True)
class Pushed:
    """What became of a push."""

    repo_id: str
    """The dataset."""
    url: str
    """Its page."""
    commit: str
    """The commit that holds the report."""
    changed: bool
    """Whether this push made it; False where the dataset held the same already."""
    private_as: str | None = None
    """The private repository that has a part in the report, where the new dataset was made private for it."""


def dataset_files(report: Report, repo_id: str) -> dict[str, bytes]:
    """All files of the dataset; the same report gives the same bytes. Addresses of servers are in none.

    Args:
        report: What is published.
        repo_id: Where, `user/name`: the card says it.
    """
    report = public_report(report)
    with tempfile.TemporaryDirectory() as folder:
        saved = {path.name: path.read_bytes() for path in sorted(save_report(report, folder).iterdir())}
    tables = {name: content for name, content in saved.items() if name.endswith(".parquet")}
    configs = configs_of(report, tables)
    picture = forest_file(report)
    return {
        README: dataset_card(report, repo_id, configs, CHART if picture else None),
        **({CHART: picture} if picture else {}),
        **{config.path(split): content for config in configs for split, content in config.splits.items()},
        **{f"{FOLDER}/{name}": content for name, content in saved.items()},
    }


def push_report(
    report: Report, repo_id: str, *, api: HfApi, private: bool | None = None, overwrite: bool = False
) -> Pushed:
    """Publishes a report; a dataset of the same pair is brought up to date, the same report makes no commit.

    Args:
        report: What is published.
        repo_id: `user/name`; made where it does not exist, and private where something private has a part in it.
        api: Acts for whoever owns its token.
        private: True: nobody else may read it. None leaves a dataset that exists as it is.
        overwrite: Also replace the diff of another pair.

    Raises:
        SettingError: The name is taken by something else, by the diff of another pair, or by a public dataset where a
            private one is wanted.
        HubError: No write access, somebody else changed it meanwhile, or the Hub cannot be reached.
    """
    if repo_id.count("/") != 1:
        raise SettingError(f"{repo_id!r:.100} names no dataset: expected user/name")
    report = public_report(report)
    there = _there(api, repo_id, identity_of(report), overwrite=overwrite)
    private_as = None
    if there is None:
        private_as = None if private else private_part(report, api)
        with hub_errors(repo_id, doing="write", repo_type="dataset"):
            # not `exist_ok`: one that came up since was not looked at
            api.create_repo(repo_id, repo_type="dataset", private=True if private_as else private)
        there = _There(head_of(api, repo_id, repo_type="dataset"), frozenset(), private=True, same_pair=False)
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
    return Pushed(repo_id, url, made.oid, changed=made.oid != there.head, private_as=private_as)


@dataclass(frozen=True, slots=True)
class _There:
    """A dataset that may be written to."""

    head: str
    """The commit that was looked at, on which alone may be written."""
    files: frozenset[str]
    """What it holds."""
    private: bool
    """Whether only its owner can read it."""
    same_pair: bool
    """Whether it holds a diff of the same two models."""


def _check_may_be_public(report: Report, repo_id: str, api: HfApi, there: _There, *, private: bool) -> None:
    """A diff that was published before is its owner's decision; what is new there must not show something private."""
    if private:
        raise SettingError(
            f"The dataset {repo_id} exists and is public: make it private in its settings, or give another name"
        )
    if not there.same_pair and (name := private_part(report, api)):
        raise SettingError(
            f"The dataset {repo_id} exists and is public, and {name} is private: make the dataset private in its "
            "settings, or give another name"
        )


def _there(api: HfApi, repo_id: str, identity: Identity, *, overwrite: bool) -> _There | None:
    """The dataset, where it may be written to; None where there is none yet."""
    with hub_errors(repo_id, repo_type="dataset"):
        try:
            info = api.dataset_info(repo_id)
        except GatedRepoError:  # there, and not for us
            raise
        except RepositoryNotFoundError:
            return None
    files = frozenset(sibling.rfilename for sibling in info.siblings or ())
    there = _There(str(info.sha), files, bool(info.private), same_pair=False)
    if files <= {_GIT}:
        return there
    card = read_file(api, repo_id, README, repo_type="dataset", revision=there.head) if README in files else None
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
