"""A report that was published as a dataset on the Hub. Downloads the files of a report, and no other."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from diffing.errors import HubError
from diffing.report.schema import DOCUMENT

if TYPE_CHECKING:
    from huggingface_hub import HfApi

FOLDER = "report"
"""Where the report lies in its dataset."""
TABLE = re.compile(r"[a-z0-9_]+\.parquet")
"""Names that its tables may have."""
_NAME = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)(@(?P<revision>[^@\s]+))?", re.ASCII)


def folder_of(source: Path | str, token: str | bool | None = None) -> Path:
    """The folder of a report; one that is on the Hub is downloaded to its cache first.

    Args:
        source: A folder, or `user/name[@revision]` as text. A folder that exists wins.
        token: Acts for its owner; None takes the saved one, False none.

    Raises:
        HubError: No such dataset or revision, no access, no report in it, or the Hub cannot be reached.
    """
    match = None if isinstance(source, Path) or Path(source).exists() else _NAME.fullmatch(source)
    if match is None:
        return Path(source)
    try:
        return _download(match["repo"], match["revision"], token)
    except HubError as error:
        raise HubError(f"There is no folder {source}, and no report on the Hub: {error}", status=error.status) from None


def _download(repo: str, revision: str | None, token: str | bool | None) -> Path:
    from diffing.hub import hub_api, hub_errors  # not for those who read a folder

    api = hub_api(token)
    with hub_errors(repo, revision=revision, repo_type="dataset"):
        sha = str(api.resolve_revision(repo, repo_type="dataset", revision=revision).resolved)
        document = _fetched(api, repo, sha, DOCUMENT)
        for table in _tables(repo, document):
            _fetched(api, repo, sha, table)
    return document.parent


def _fetched(api: "HfApi", repo: str, sha: str, name: str) -> Path:
    from huggingface_hub.errors import RemoteEntryNotFoundError

    try:
        return Path(api.hf_hub_download(repo, f"{FOLDER}/{name}", repo_type="dataset", revision=sha))
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
