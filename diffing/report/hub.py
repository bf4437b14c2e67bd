"""A report that was published as a dataset on the Hub. Downloads the files of a report, and no other."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from diffing.errors import HubError, LimitError
from diffing.paths import existing, path_of
from diffing.report.schema import DOCUMENT

if TYPE_CHECKING:
    from huggingface_hub import HfApi

FOLDER = "report"
"""Where the report lies in its dataset."""
TABLE = re.compile(r"[a-z0-9_]+\.parquet")
"""Names that its tables may have."""
_MOST_DOCUMENT = 10_000_000
"""Bytes of the document alone where a size is bound: JSON takes many times as much when it is read, at one go."""
_MOST_HERE = 5_000_000_000
"""Bytes of a report that is opened on a machine of one's own."""
_NAME = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)(@(?P<revision>[^@\s]+))?", re.ASCII)


def folder_of(source: Path | str, token: str | bool | None = None) -> Path:
    """The folder of a report; one that is on the Hub is downloaded to its cache first.

    Args:
        source: A folder, or `user/name[@revision]` as text. A folder that exists wins.
        token: Acts for its owner; None takes the saved one, False none.

    Raises:
        SettingError: No folder can be named so.
        HubError: No such dataset or revision, no access, no report in it, or the Hub cannot be reached.
    """
    match = None if isinstance(source, Path) or existing(source) else _NAME.fullmatch(source)
    if match is None:
        return path_of(source)
    try:
        return _download(match["repo"], match["revision"], token)
    except HubError as error:
        raise HubError(f"There is no folder {source}, and no report on the Hub: {error}", status=error.status) from None


def name_of(text: str) -> tuple[str, str | None] | None:
    """The dataset and the revision of `user/name[@revision]`; None where the text cannot be one.

    Args:
        text: May be anybody's; never becomes a path.
    """
    match = _NAME.fullmatch(text)
    if match is None or any(part.startswith(".") for part in match["repo"].split("/")):
        return None
    return match["repo"], match["revision"]


def download_into(folder: Path, api: "HfApi", repo: str, sha: str, *, most: int) -> Path:
    """Downloads a report into a folder of its own, unless it is too large.

    Args:
        folder: Where it is put; nothing else may be there.
        api: Acts for whoever wants to read it.
        repo: The dataset, `user/name`.
        sha: Its commit.
        most: Bytes of the whole report.

    Returns:
        The folder of the report.

    Raises:
        HubError: No access, no report in it, or the Hub cannot be reached.
        LimitError: It is larger.
    """
    from diffing.hub import hub_errors

    with hub_errors(repo, revision=sha, repo_type="dataset"):
        document_size = _size(api, repo, sha, [DOCUMENT])
        _check_size(repo, document_size, min(most, _MOST_DOCUMENT))
        document = _fetched(api, repo, sha, DOCUMENT, folder)
        tables = _tables(repo, document)
        _check_size(repo, document_size + _size(api, repo, sha, tables), most)
        for table in tables:
            _fetched(api, repo, sha, table, folder)
    return document.parent


def _size(api: "HfApi", repo: str, sha: str, names: list[str]) -> int:
    paths = [f"{FOLDER}/{name}" for name in names]
    found = api.get_paths_info(repo, paths, repo_type="dataset", revision=sha) if paths else []
    return sum(getattr(each, "size", 0) for each in found)


def _check_size(repo: str, size: int, most: int) -> None:
    if size > most:
        raise LimitError(
            f"The report in {repo} has {size / 1e6:,.0f} MB: expected at most {most / 1e6:,.0f} MB here. Open it on a "
            f"machine of your own: diffing show {repo}"
        )


def _download(repo: str, revision: str | None, token: str | bool | None) -> Path:
    from diffing.hub import hub_api, hub_errors  # not for those who read a folder

    api = hub_api(token)
    with hub_errors(repo, revision=revision, repo_type="dataset"):
        sha = str(api.resolve_revision(repo, repo_type="dataset", revision=revision).resolved)
        _check_size(repo, _size(api, repo, sha, [DOCUMENT]), _MOST_HERE // 10)
        document = _fetched(api, repo, sha, DOCUMENT)
        tables = _tables(repo, document)
        _check_size(repo, _size(api, repo, sha, tables), _MOST_HERE)
        for table in tables:
            _fetched(api, repo, sha, table)
    return document.parent


def _fetched(api: "HfApi", repo: str, sha: str, name: str, folder: Path | None = None) -> Path:
    """One file, in the shared cache unless a folder is given."""
    from huggingface_hub.errors import RemoteEntryNotFoundError

    try:
        return Path(api.hf_hub_download(repo, f"{FOLDER}/{name}", repo_type="dataset", revision=sha, local_dir=folder))
    except RemoteEntryNotFoundError:
        raise HubError(
            f"the dataset {repo} has no {FOLDER}/{name}; expected one that `diffing push` made, check the name"
        ) from None


def _tables(repo: str, document: Path) -> list[str]:
    """The names of its tables; whatever else the document may say is left where it is."""
    try:
        files = json.loads(document.read_bytes())["files"]
        names = [str(name) for name in files]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise HubError(f"the report in {repo} is damaged: expected JSON that names its files; push it again") from None
    strange = [name for name in names if not TABLE.fullmatch(name)]
    if strange:
        raise HubError(f"the report in {repo} is none of ours: no table can be named {strange[0]!r:.60}")
    return names
