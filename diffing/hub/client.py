"""The client of the Hub, with look-ups that end. Knows nothing of what is kept there."""

import os
from dataclasses import dataclass
from pathlib import Path

import httpx2
from huggingface_hub import HfApi, constants, get_session, get_token, hf_hub_url, try_to_load_from_cache
from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

from diffing.errors import HubError
from diffing.hub.hub_errors import hub_errors
from diffing.hub.limits import MOST_CARD
from diffing.masking import keep_secret
from diffing.version import VERSION

TIMEOUT = 15.0
"""Seconds; the client's own default is to wait for ever."""
_TIMEOUT_HEADER = "x-diffing-timeout"
"""Carries a client's timeout to `_bound`, which takes it off again: it is not sent."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the Hub is waited for."""

    timeout: float = TIMEOUT
    """Seconds for one connection, or for the next piece of one answer."""
    attempts: int = 4
    """Tries of one commit, the first included."""
    first_wait: float = 1.0
    """Seconds before the second try; doubles from try to try."""
    longest_wait: float = 60.0
    """Seconds; a Hub that asks for a longer pause is not waited for."""


class BoundedApi(HfApi):
    """The Hub's client with calls that end: the stock one waits for ever on a server that does not answer."""

    def __init__(self, patience: Patience, endpoint: str, token: str | bool | None) -> None:
        # the stock client takes no timeout for most calls, but sends these headers with all of them: see `_bound`
        headers = {_TIMEOUT_HEADER: str(patience.timeout)}
        super().__init__(
            endpoint=endpoint, token=token, library_name="diffing", library_version=VERSION, headers=headers
        )
        keep_secret((token if isinstance(token, str) else get_token() if token is None else None) or "")
        self.patience = patience
        """How long it waits."""


def hub_api(
    token: str | bool | None = None, endpoint: str | None = None, *, patience: Patience | None = None
) -> BoundedApi:
    """A client for the Hub.

    The stock client's connections are shared by the whole process and wait for ever. Those of our requests are bounded,
    and those of others in this process are left as they are.

    Args:
        token: Acts for its owner; None takes the saved one, False none.
        endpoint: Address of the Hub; None takes HF_ENDPOINT as it is now, not as it was when the client was imported.
        patience: How long it waits; None for the usual.
    """
    hooks = get_session().event_hooks["request"]
    if _bound not in hooks:
        hooks.append(_bound)
    address = endpoint or os.environ.get("HF_ENDPOINT") or constants.ENDPOINT
    return BoundedApi(patience or Patience(), address.rstrip("/"), token)


def _bound(request: httpx2.Request) -> None:
    """Gives a request of one of our clients its timeout, unless it has one."""
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
    """Whether a repository is known to be private; one that is gone, or may not be seen, is not.

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


def read_file(
    api: HfApi, repo_id: str, path: str, *, repo_type: str = "model", revision: str, most: int = MOST_CARD
) -> bytes | None:
    """One file of a repository; None where it has none of that name.

    Args:
        api: The client.
        repo_id: `user/name`.
        path: Of the file.
        repo_type: `model`, `dataset` or `space`.
        revision: A commit, so that all files of one reading belong together.
        most: Bytes; a larger file is not downloaded.

    Raises:
        HubError: No such repository or revision, no access, it is larger, or the Hub cannot be reached.
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
            if isinstance(error, LocalEntryNotFoundError):  # not missing: out of reach
                raise
            return None


def _size_of(api: HfApi, repo_id: str, path: str, repo_type: str, revision: str) -> int | None:
    """Bytes of a file, told before it is downloaded; None where it cannot be told."""
    here = try_to_load_from_cache(repo_id, path, repo_type=repo_type, revision=revision)
    if isinstance(here, str):
        return Path(here).stat().st_size
    if constants.HF_HUB_OFFLINE:
        return None
    url = hf_hub_url(repo_id, path, repo_type=repo_type, revision=revision, endpoint=api.endpoint)
    return api.get_hf_file_metadata(url=url, token=api.token, timeout=TIMEOUT).size


def user_name(api: HfApi) -> str:
    """The account the client acts for; asked once per token.

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
        found = api.whoami(cache=True)
    return str(found["name"]), *(str(each["name"]) for each in found.get("orgs", ()))
