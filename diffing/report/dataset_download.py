"""Downloads a report that was published as a dataset on the Hugging Face Hub: the files of the report and no others."""

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
"""The folder of the report inside its dataset."""
TABLE = re.compile(r"[a-z0-9_]+\.parquet")
"""The file names that a report's tables may have."""
_MOST_DOCUMENT = 10_000_000
"""The largest `report.json` in bytes on a public server: parsed JSON takes many times as much memory, all at once."""
_MOST_HERE = 5_000_000_000
"""The largest report in bytes that is downloaded to a user's own machine."""
_NAME = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)(@(?P<revision>[^@\s]+))?", re.ASCII)


def locate_report(source: Path | str, token: str | bool | None = None) -> Path:
    """Returns the folder of a report; a report on the Hub is downloaded to the Hub's cache first.

    Args:
        source: A folder, or `user/name[@revision]` as text. If a folder of that name exists, it is used.
        token: The Hub token to use; None uses the saved one, False uses none.

    Raises:
        SettingError: The text cannot be a folder's name.
        HubError: No such dataset or revision, no access, no report in it, or the Hub cannot be reached.
    """
    match = None if isinstance(source, Path) or existing(source) else _NAME.fullmatch(source)
    if match is None:
        return path_of(source)
    try:
        return _download(match["repo"], match["revision"], token)
    except HubError as error:
        named = f"{source!s:.200}"
        raise HubError(f"There is no folder {named}, and no report on the Hub: {error}", status=error.status) from None


def parse_dataset_name(text: str) -> tuple[str, str | None] | None:
    """Splits `user/name[@revision]` into the dataset and the revision; None if the text has another form.

    Args:
        text: Untrusted text; it is never used as a path.
    """
    match = _NAME.fullmatch(text)
    if match is None or any(part.startswith(".") for part in match["repo"].split("/")):
        return None
    return match["repo"], match["revision"]


def download_into(folder: Path, api: "HfApi", repo: str, sha: str, *, most: int) -> Path:
    """Downloads a report into an empty folder, unless the report is too large.

    Args:
        folder: The folder to download to; it must be empty.
        api: The Hub client, with the rights of the user who wants to read the report.
        repo: The dataset, as `user/name`.
        sha: The commit to download.
        most: The largest size of the whole report in bytes.

    Returns:
        The folder of the report.

    Raises:
        HubError: No access, no report in the dataset, or the Hub cannot be reached.
        LimitError: The report is larger than that.
    """
    from diffing.hub import hub_errors

    with hub_errors(repo, revision=sha, repo_type="dataset"):
        document_size = _size(api, repo, sha, [DOCUMENT])
        _check_size(repo, document_size, min(most, _MOST_DOCUMENT))
        document = _download_file(api, repo, sha, DOCUMENT, folder)
        tables = _table_names(repo, document)
        _check_size(repo, document_size + _size(api, repo, sha, tables), most)
        for table in tables:
            _download_file(api, repo, sha, table, folder)
    return document.parent


def _size(api: "HfApi", repo: str, sha: str, names: list[str]) -> int:
    paths = [f"{FOLDER}/{name}" for name in names]
    found = api.get_paths_info(repo, paths, repo_type="dataset", revision=sha) if paths else []
    return sum(getattr(each, "size", 0) for each in found)


def _check_size(repo: str, size: int, most: int) -> None:
    if size > most:
        raise LimitError(
            f"The report in {repo} has {size / 1e6:,.0f} MB: expected at most {most / 1e6:,.0f} MB here. Open it on "
            f"your own machine: diffing show {repo}"
        )


def _download(repo: str, revision: str | None, token: str | bool | None) -> Path:
    from diffing.hub import hub_api, hub_errors  # reading a local folder does not need it

    api = hub_api(token)
    with hub_errors(repo, revision=revision, repo_type="dataset"):
        sha = str(api.resolve_revision(repo, repo_type="dataset", revision=revision).resolved)
        _check_size(repo, _size(api, repo, sha, [DOCUMENT]), _MOST_HERE // 10)
        document = _download_file(api, repo, sha, DOCUMENT)
        tables = _table_names(repo, document)
        _check_size(repo, _size(api, repo, sha, tables), _MOST_HERE)
        for table in tables:
            _download_file(api, repo, sha, table)
    return document.parent


def _download_file(api: "HfApi", repo: str, sha: str, name: str, folder: Path | None = None) -> Path:
    """Downloads one file, into the Hub's cache unless a folder is given."""
    from huggingface_hub.errors import RemoteEntryNotFoundError

    try:
        return Path(api.hf_hub_download(repo, f"{FOLDER}/{name}", repo_type="dataset", revision=sha, local_dir=folder))
    except RemoteEntryNotFoundError:
        raise HubError(
            f"the dataset {repo} has no {FOLDER}/{name}; expected one that `diffing push` made, check the name"
        ) from None


def _table_names(repo: str, document: Path) -> list[str]:
    """Reads the names of a report's parquet files from its document, and nothing else."""
    try:
        files = json.loads(document.read_bytes())["files"]
        names = [str(name) for name in files]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise HubError(f"the report in {repo} is damaged: expected JSON that names its files; push it again") from None
    strange = [name for name in names if not TABLE.fullmatch(name)]
    if strange:
        raise HubError(f"the report in {repo} was not made by diffing: no table can be named {strange[0]!r:.60}")
    return names
