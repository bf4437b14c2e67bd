"""Parses and validates the payload of the Hub's webhook: it is either a push to annotate or ignored for a reason.

It does not use the payload class of huggingface_hub, which lacks the new commit and rejects kinds of repositories and
versions that it does not know.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

from diffing.errors import SettingError

BRANCH = "refs/heads/main"
"""The only branch that is annotated; pull requests and other branches are drafts."""
VERSION = 3
"""The supported version of the Hub's payloads."""
_ACTIONS = ("create", "update")
_SHA = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class ModelPush:
    """A push of new content to a model's main branch."""

    repository: str
    """`org/name`."""
    commit: str
    """The new head commit."""
    parent: str | None
    """The previous head commit; None if there was none or it is unknown."""


@dataclass(frozen=True, slots=True)
class IgnoredPush:
    """The outcome for something that is not annotated, although nothing went wrong."""

    reason: str
    """The reason in plain words, without any text from outside."""


def is_repository(name: object) -> bool:
    """Whether a value is a valid repository name of the form `org/name`."""
    return is_hub_name(name) and str(name).count("/") == 1


def is_hub_name(name: object) -> bool:
    """Whether a value is a valid name on the Hub: `org/name`, or a bare `name` as for some old models."""
    try:
        validate_repo_id(name)  # type: ignore[arg-type]
    except HFValidationError:
        return False
    return True


def read_delivery(body: bytes, allowed: Callable[[str], bool]) -> ModelPush | IgnoredPush:
    """Parses one webhook request.

    Source: hub-docs, webhooks.md (payload, version 3).

    Args:
        body: The raw body of the request.
        allowed: Decides whether a repository may be annotated.

    Raises:
        SettingError: The body is not a payload of the Hub.
    """
    payload = _parsed(body)
    event, repo = _part(payload, "event"), _part(payload, "repo")
    version = _part(payload, "webhook", optional=True).get("version", VERSION)
    if version != VERSION:
        return IgnoredPush("unknown version of the Hub's payload")
    if not _new_content(event):
        return IgnoredPush("another event than new content")
    if repo.get("type") != "model":
        return IgnoredPush("not a model")
    name = repo.get("name")
    if not is_repository(name):
        raise SettingError("The repository's name cannot be read: expected org/name in repo.name")
    if not allowed(str(name)):
        return IgnoredPush("repository not on the allow-list")
    return _push(str(name), payload.get("updatedRefs"))


def _parsed(body: bytes) -> Mapping[str, Any]:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        raise SettingError("The body is not JSON: expected a payload of the Hub's webhooks") from None
    if not isinstance(payload, dict):
        raise SettingError("The body is not a JSON object: expected a payload of the Hub's webhooks")
    return payload


def _part(payload: Mapping[str, Any], key: str, *, optional: bool = False) -> Mapping[str, Any]:
    part = payload.get(key)
    if part is None and optional:
        return {}
    if not isinstance(part, dict):
        raise SettingError(f"The payload's {key} cannot be read: expected an object")
    return part


def _new_content(event: Mapping[str, Any]) -> bool:
    """Whether an event is about new content; the Hub's documentation says to accept scopes below `repo.content` too."""
    scope = event.get("scope")
    inside = isinstance(scope, str) and (scope == "repo.content" or scope.startswith("repo.content."))
    return inside and event.get("action") in _ACTIONS


def _push(repository: str, refs: object) -> ModelPush | IgnoredPush:
    if not isinstance(refs, list):
        return IgnoredPush("names no branch")
    for ref in refs:
        if not isinstance(ref, dict) or ref.get("ref") != BRANCH:
            continue
        new, old = ref.get("newSha"), ref.get("oldSha")
        if new is None:
            return IgnoredPush("the main branch was deleted")
        if not _is_sha(new) or not (old is None or _is_sha(old)):
            raise SettingError("A commit cannot be read: expected 40 hexadecimal digits in updatedRefs")
        return ModelPush(repository, new, old)
    return IgnoredPush("another branch than main, or a pull request")


def _is_sha(value: object) -> bool:
    return isinstance(value, str) and _SHA.fullmatch(value) is not None
