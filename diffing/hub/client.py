"""The Hub's client with timeouts on all calls, and look-ups of commits, files, accounts and privacy."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import httpx2
from huggingface_hub import HfApi, constants, get_session, get_token, hf_hub_url, try_to_load_from_cache
from huggingface_hub.errors import EntryNotFoundError, GatedRepoError, LocalEntryNotFoundError, RepositoryNotFoundError

from diffing.errors import HubError
from diffing.hub.hub_errors import hub_errors
from diffing.hub.limits import MOST_CARD
from diffing.masking import keep_secret
from diffing.version import VERSION

TIMEOUT = 15.0
"""Timeout in seconds; the Hub's own client waits forever by default."""
_TIMEOUT_HEADER = "x-diffing-timeout"
"""A header that carries a client's timeout to `_bound`, which removes it before the request is sent."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Timeouts and retries of calls to the Hub."""

    timeout: float = TIMEOUT
    """Seconds to wait for a connection, or for the next part of an answer."""
    attempts: int = 4
    """Maximum number of attempts for one commit, including the first."""
    first_wait: float = 1.0
    """Seconds before the second attempt; doubled with each further attempt."""
    longest_wait: float = 60.0
    """Maximum pause in seconds; if the Hub asks for a longer one, the call fails."""


class BoundedApi(HfApi):
    """The Hub's client with a timeout on every call; without it, a server that does not answer would block forever."""

    def __init__(self, patience: Patience, endpoint: str, token: str | bool | None) -> None:
        # most calls of the base class take no timeout, but all of them send these headers; see `_bound`
        headers = {_TIMEOUT_HEADER: str(patience.timeout)}
        super().__init__(
            endpoint=endpoint, token=token, library_name="diffing", library_version=VERSION, headers=headers
        )
        keep_secret((token if isinstance(token, str) else get_token() if token is None else None) or "")
        self.patience = patience
        """The timeouts and retries of this client."""


def hub_api(
    token: str | bool | None = None, endpoint: str | None = None, *, patience: Patience | None = None
) -> BoundedApi:
    """Creates a client for the Hub.

    The connections of `huggingface_hub` are shared by the whole process and have no timeout. Requests of this client
    get one, and requests of other code in the process are left unchanged.

    Args:
        token: The token of the account; None uses the saved one, False none.
        endpoint: Address of the Hub; None uses the current value of HF_ENDPOINT, not the one at import.
        patience: Timeouts and retries; None uses the defaults.
    """
    hooks = get_session().event_hooks["request"]
    if _bound not in hooks:
        hooks.append(_bound)
    address = endpoint or os.environ.get("HF_ENDPOINT") or constants.ENDPOINT
    return BoundedApi(patience or Patience(), address.rstrip("/"), token)


def _bound(request: httpx2.Request) -> None:
    """Sets the timeout of a request that one of our clients sends, unless it already has one."""
    seconds = request.headers.pop(_TIMEOUT_HEADER, None)
    if seconds is not None:
        given = request.extensions.get("timeout", {})
        kinds = ("connect", "read", "write", "pool")
        bounded = {kind: float(seconds) if given.get(kind) is None else given[kind] for kind in kinds}
        request.extensions = {**request.extensions, "timeout": bounded}


def head_of(api: HfApi, repo_id: str, *, repo_type: str = "model", revision: str | None = None) -> str:
    """The commit that a branch, tag or the default branch stands for.

    Raises:
        HubError: No such repository or revision, no access, or the Hub cannot be reached.
    """
    with hub_errors(repo_id, revision=revision, repo_type=repo_type):
        return str(api.repo_info(repo_id, repo_type=repo_type, revision=revision).sha)


def is_private(api: HfApi, repo_id: str, *, repo_type: str = "model") -> bool:
    """Whether a repository is known to be private; False if it does not exist or is not accessible.

    Raises:
        HubError: The Hub cannot be reached.
    """
    try:
        with hub_errors(repo_id, repo_type=repo_type):
            return bool(api.repo_info(repo_id, repo_type=repo_type).private)
    except HubError as error:
        if error.status not in (401, 403, 404):
            raise
        return False


@dataclass(frozen=True, slots=True)
class ExistingRepository:
    """A repository of the Hub as it stands."""

    head: str
    """Its latest commit."""
    files: frozenset[str]
    """The paths of its files."""
    private: bool
    """Whether only its owner can read it."""


def find_repository(
    api: HfApi, repo_id: str, *, repo_type: Literal["model", "dataset"] = "model"
) -> ExistingRepository | None:
    """Looks a repository up; None if it does not exist.

    Args:
        api: The client.
        repo_id: `user/name`.
        repo_type: `model` or `dataset`.

    Raises:
        HubError: The repository exists, but this account has no access, or the Hub cannot be reached.
    """
    with hub_errors(repo_id, repo_type=repo_type):
        try:
            info = api.dataset_info(repo_id) if repo_type == "dataset" else api.model_info(repo_id)
        except GatedRepoError:  # it exists, but this account has no access
            raise
        except RepositoryNotFoundError:
            return None
    files = frozenset(sibling.rfilename for sibling in info.siblings or ())
    return ExistingRepository(str(info.sha), files, bool(info.private))


def read_file(
    api: HfApi, repo_id: str, path: str, *, repo_type: str = "model", revision: str, most: int = MOST_CARD
) -> bytes | None:
    """Downloads one file of a repository; None if there is no such file.

    Args:
        api: The client.
        repo_id: `user/name`.
        path: The path of the file in the repository.
        repo_type: `model`, `dataset` or `space`.
        revision: A commit, so that several files are read in the same state.
        most: Maximum size in bytes; a larger file is not downloaded.

    Raises:
        HubError: No such repository or revision, no access, the file is too large, or the Hub cannot be reached.
    """
    with hub_errors(repo_id, revision=revision, repo_type=repo_type):
        try:
            size = _size_of(api, repo_id, path, repo_type, revision)
            if size is not None and size > most:
                raise HubError(
                    f"{path} of {repo_id} has {size / 1e6:,.1f} MB: expected at most {most / 1e6:g} MB. It was not read"
                )
            return Path(api.hf_hub_download(repo_id, path, repo_type=repo_type, revision=revision)).read_bytes()
        except EntryNotFoundError as error:
            if isinstance(error, LocalEntryNotFoundError):  # the Hub cannot be reached; the file may exist
                raise
            return None


def _size_of(api: HfApi, repo_id: str, path: str, repo_type: str, revision: str) -> int | None:
    """The size of a file in bytes, looked up before it is downloaded; None if it cannot be determined."""
    cached = try_to_load_from_cache(repo_id, path, repo_type=repo_type, revision=revision)
    if isinstance(cached, str):
        return Path(cached).stat().st_size
    if constants.HF_HUB_OFFLINE:
        return None
    url = hf_hub_url(repo_id, path, repo_type=repo_type, revision=revision, endpoint=api.endpoint)
    return api.get_hf_file_metadata(url=url, token=api.token, timeout=TIMEOUT).size


def user_name(api: HfApi) -> str:
    """The name of the account whose token the client uses; looked up once per token.

    Raises:
        HubError: No token, a wrong one, or the Hub cannot be reached.
    """
    with hub_errors("your account"):
        return str(api.whoami(cache=True)["name"])


def namespaces(api: HfApi) -> tuple[str, ...]:
    """The names under which the account may publish: its own, then its organisations'.

    Raises:
        HubError: No token, a wrong one, or the Hub cannot be reached.
    """
    with hub_errors("your account"):
        account = api.whoami(cache=True)
    return str(account["name"]), *(str(each["name"]) for each in account.get("orgs", ()))
