"""Translates the exceptions of the Hub's client into a `HubError` with one line of advice, without any token in it."""

import errno
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
from huggingface_hub.errors import (
    DisabledRepoError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    LocalTokenNotFoundError,
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
    RevisionResolutionError,
)
from huggingface_hub.utils import parse_ratelimit_headers  # type: ignore[attr-defined] # exported lazily

from diffing.errors import HubError
from diffing.masking import masked

_SAID = 200
"""Maximum number of characters quoted from the Hub's own message."""
_DOINGS = {"read": "read", "write": "write to", "discuss": "open discussions or pull requests at"}
_NEEDS = {"read": "read", "write": "write", "discuss": "write-discussions"}
_FOLDERS = {"model": "", "dataset": "datasets/", "space": "spaces/"}
_FLAG = re.compile(r" \(--[\w-]+\)")
_TERMINAL = (
    (re.compile(r"(?:sign in with|run) `hf auth login`(?:, or (?:un)?set HF_TOKEN)?"), "sign in"),
    (re.compile(r"Run `hf auth login`(?:, or (?:un)?set HF_TOKEN)?"), "Sign in"),
    (re.compile(r"check the network and HF_ENDPOINT(?:, or give a folder on this machine)?"), "try again later"),
)
"""Advice that needs a terminal on this machine, and the advice that replaces it for visitors of a public page."""


@contextmanager
def hub_errors(
    repo_id: str, *, revision: str | None = None, doing: str = "read", repo_type: str = "model"
) -> Iterator[None]:
    """A context manager that turns the exceptions of the Hub's client into a `HubError` of one line.

    The order of the handlers matters. `GatedRepoError` is a `RepositoryNotFoundError`, and both are `HfHubHTTPError`.
    Network errors are different: `httpx2.TransportError`, `ConnectionError` (xet, offline mode) or
    `LocalEntryNotFoundError` (an `OSError`).

    Args:
        repo_id: The repository, or another subject, that the messages name.
        revision: The requested revision.
        doing: `read`, `write` or `discuss`; the message for a refusal (403) depends on it.
        repo_type: `model`, `dataset` or `space`.

    Raises:
        HubError: In place of the client's exceptions.
    """
    try:
        yield
    except HfHubHTTPError as error:
        line = _refused(repo_id, revision, repo_type, error) or _of_status(repo_id, doing, error)
        gated = isinstance(error, GatedRepoError)
        missing = isinstance(error, RepositoryNotFoundError) and not gated
        raise HubError(line, status=error.response.status_code, gated=gated, missing=missing) from None
    except (
        LocalEntryNotFoundError,
        LocalTokenNotFoundError,
        RevisionResolutionError,
        ConnectionError,
        TimeoutError,
    ) as error:
        raise HubError(_unreachable(repo_id, doing, error)) from None
    except httpx2.TransportError as error:
        raise HubError(_unreachable(repo_id, doing, error)) from None
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise HubError(
            f"The disk is full while downloading {repo_id}: free space, or point HF_HOME to a larger disk."
        ) from None
    except HFValidationError:
        raise HubError(
            f"{_line(repo_id)!r} is not a valid name on the Hub: expected user/name, of letters, digits, - _ ."
        ) from None
    except (AttributeError, TypeError, ValueError, RecursionError) as error:
        if (unexpected := _of_unexpected_data(repo_id, doing, error)) is None:
            raise
        raise HubError(unexpected) from None


def _of_unexpected_data(repo_id: str, doing: str, error: Exception) -> str | None:
    """The line for an error that the client raises because of the data it got; None if it is another error."""
    match error:
        case AttributeError() if "'list' object has no attribute 'get'" in str(error):
            # the client expects the body of an error to be an object, and fails like this if it is a list
            return f"The Hub refused a request for {repo_id} without a readable reason: try again later."
        case TypeError() if "got multiple values for" in str(error):
            # the client turns all keys of a card's YAML into arguments, and fails for a key such as `self`
            return f"The card of {repo_id} has metadata that cannot be read: look at it on the Hub."
        case json.JSONDecodeError() | UnicodeDecodeError() | RecursionError():
            # a proxy's page in place of the Hub's answer, or metadata of a stranger's card nested too deeply
            return (
                f"What answered a request for {repo_id} is no JSON of the Hub: check the network, or try again later."
            )
        case ValueError() if doing == "write" and "Invalid metadata in README.md" in str(error):
            reason = _line(str(error).partition("README.md.")[2])
            return f"The Hub refused the card of {repo_id}: its metadata is not valid ({reason})."
    return None


def for_page(line: str, *, public: bool) -> str:
    """Rewrites an error message for the web page, without the flags of the command line.

    Args:
        line: The message of a `HubError`, or of another error about the Hub.
        public: Whether the reader has no terminal on this machine, as on a public page.
    """
    line = _FLAG.sub("", line)
    for pattern, instead in _TERMINAL if public else ():
        line = pattern.sub(instead, line)
    return line


def seconds_to_wait(error: HfHubHTTPError) -> float | None:
    """Seconds after which the Hub accepts requests again; None if it does not say."""
    limit = parse_ratelimit_headers(error.response.headers)
    if limit is not None and limit.remaining == 0:
        return float(limit.reset_in_seconds)
    after = error.response.headers.get("Retry-After", "")
    return float(after) if after.isdecimal() else None


def _refused(repo_id: str, revision: str | None, repo_type: str, error: HfHubHTTPError) -> str | None:
    """The message for exceptions with a class of their own; None for others."""
    match error:
        case GatedRepoError():
            url = f"https://huggingface.co/{_FOLDERS.get(repo_type, '')}{repo_id}"
            return (
                f"{repo_id} is gated: ask for access at {url}, then sign in with `hf auth login` as the account "
                "that was granted it."
            )
        case DisabledRepoError():
            return f"{repo_id} was disabled on the Hub; use another {repo_type}."
        case RepositoryNotFoundError():
            return (
                f"{repo_id} does not exist on the Hub, or is private and you are not signed in as someone who may read "
                "it: check the name, or run `hf auth login`."
            )
        case RevisionNotFoundError():
            named = "such revision" if revision is None else f"revision {_line(revision)}"
            return f"{repo_id} has no {named}: expected a branch, tag or commit of it after the @."
        case RemoteEntryNotFoundError():
            return f"{repo_id} has no such file at this revision: check that it is what you take it for."
    return None


def _of_status(repo_id: str, doing: str, error: HfHubHTTPError) -> str:
    status = error.response.status_code
    said = _said(error)
    match status:
        case 401:
            return "The Hub refused the token (401): it is wrong or expired; run `hf auth login`, or unset HF_TOKEN."
        case 402:
            return f"The Hub asks for payment (402) for {repo_id}: add credits or a plan to the account, or do without."
        case 403:
            needs = f"use one with {_NEEDS[doing]} access to it"
            return f"The token may not {_DOINGS[doing]} {repo_id} (403{said}): {needs}."
        case 404:
            return f"The Hub has nothing there (404) for {repo_id}{said}: check the name and the number."
        case 409:
            return f"{repo_id} is being changed by somebody else, or is there already (409{said}): try again."
        case 412:
            return f"{repo_id} changed in the meantime (412): nothing was written; run it again on what is there now."
        case 413:
            return f"What was sent to {repo_id} is too large for the Hub (413): send less, or fewer prompts."
        case 429:
            wait = seconds_to_wait(error)
            when = "some minutes" if wait is None else f"{wait:.0f} seconds"
            remedy = f"wait {when}, and sign in with `hf auth login` for higher limits"
            return f"The Hub asks to slow down (429) for {repo_id}: {remedy}."
        case 400 | 422:
            return f"The Hub did not accept the request for {repo_id} ({status}{said}): fix that and try again."
    return f"The Hub answered {status} for {repo_id}{said}: try again later."


def _unreachable(repo_id: str, doing: str, error: Exception) -> str:
    instead = "check the network and HF_ENDPOINT"
    instead += ", or give a folder on this machine" if doing == "read" else "; it is safe to run the same again"
    match error:
        case OfflineModeIsEnabled():
            return f"Offline mode is on (HF_HUB_OFFLINE): {repo_id} was not asked for; unset it, or use what is here."
        case LocalTokenNotFoundError():
            return f"{repo_id} needs an account: sign in with `hf auth login`, or set HF_TOKEN."
        case LocalEntryNotFoundError():
            return f"Cannot reach the Hub for {repo_id}, and its files are not in the local cache: {instead}."
        case httpx2.TimeoutException():
            return f"Cannot reach the Hub for {repo_id} (no answer in time): {instead}."
    if isinstance(error, ConnectionError) and "Request error" in str(error):  # of hf_xet, which has no class of its own
        return f"The Hub's file storage failed for {repo_id}: try again, or set HF_HUB_DISABLE_XET=1."
    return f"Cannot reach the Hub for {repo_id} ({type(error.__cause__ or error).__name__}): {instead}."


def _said(error: HfHubHTTPError) -> str:
    """The Hub's own message in one short line, after a colon."""
    return f": {_line(error.server_message)}" if error.server_message else ""


def _line(text: str) -> str:
    """Untrusted text in one short line, with secrets masked."""
    return " ".join(masked(text).split())[:_SAID]
