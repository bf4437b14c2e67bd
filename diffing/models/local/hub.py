"""The Hub as local models need it: a client that does not hang, and one clear line for each way in which it can fail.

Does not know what the files mean. Never passes a token on: messages name repositories only.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
from huggingface_hub import HfApi
from huggingface_hub.errors import (
    DisabledRepoError,
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
    RevisionResolutionError,
)

from diffing.errors import HubError

TIMEOUT = 15.0
"""Seconds; the client's own default is to wait for ever."""

_RETRY = "check the network and HF_ENDPOINT, or give a folder with the model"


@contextmanager
def hub_errors(repo_id: str, revision: str | None = None) -> Iterator[None]:
    """Turns whatever the Hub's client raises into a `HubError` of one line.

    The order matters: `GatedRepoError` is a `RepositoryNotFoundError`, all of them are `HfHubHTTPError`, and network
    errors are none of these: they come as `httpx2.TransportError`, `ConnectionError` (xet, offline mode) or
    `LocalEntryNotFoundError` (an `OSError`).
    """
    try:
        yield
    except GatedRepoError:
        url = f"https://huggingface.co/{repo_id}"
        raise HubError(
            f"{repo_id} is gated: ask for access at {url}, then sign in with `hf auth login` as the account "
            "that was granted it."
        ) from None
    except RepositoryNotFoundError:
        raise HubError(
            f"{repo_id} does not exist on the Hub, or is private and you are not signed in as someone who may read it: "
            "check the name, or run `hf auth login`."
        ) from None
    except RevisionNotFoundError:
        named = "such revision" if revision is None else f"revision {revision}"
        raise HubError(f"{repo_id} has no {named}: expected a branch, tag or commit of it after the @.") from None
    except DisabledRepoError:
        raise HubError(f"{repo_id} was disabled on the Hub; use another model.") from None
    except HfHubHTTPError as error:
        raise HubError(_of_status(repo_id, error)) from None
    except LocalEntryNotFoundError:
        raise HubError(
            f"Cannot reach the Hub for {repo_id}, and its files are not in the local cache: {_RETRY}."
        ) from None
    except (httpx2.TransportError, ConnectionError, RevisionResolutionError) as error:
        raise HubError(
            f"Cannot reach the Hub for {repo_id} ({type(error.__cause__ or error).__name__}): {_RETRY}."
        ) from None
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise HubError(
            f"The disk is full while downloading {repo_id}: free space, or point HF_HOME to a larger disk."
        ) from None


def _of_status(repo_id: str, error: HfHubHTTPError) -> str:
    status = error.response.status_code
    if status == 401:
        return "The Hub refused the token (401): it is wrong or expired; run `hf auth login`, or unset HF_TOKEN."
    if status == 403:
        return f"The token may not read {repo_id} (403): use one with read access to it."
    if status == 429:
        remedy = "wait some minutes, and sign in with `hf auth login` for higher limits"
        return f"The Hub asks to slow down (429) for {repo_id}: {remedy}."
    return f"The Hub answered {status} for {repo_id}: try again later."


class BoundedApi(HfApi):
    """The Hub's client with look-ups that end: the stock one waits for ever on a server that does not answer."""

    def repo_info(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - passed through as it is
        """As the stock client's, with a timeout of `TIMEOUT` seconds."""
        kwargs.setdefault("timeout", TIMEOUT)
        return super().repo_info(*args, **kwargs)


def hub_api(token: str | bool | None = None, endpoint: str | None = None) -> BoundedApi:
    """A client for the Hub; None takes the saved token and HF_ENDPOINT."""
    return BoundedApi(endpoint=endpoint, token=token, library_name="diffing")
