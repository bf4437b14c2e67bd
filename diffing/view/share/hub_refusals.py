"""Words for a visitor why the Hub refused an action, based on the permissions that they granted to this app."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from diffing.errors import DiffingError, HubError
from diffing.hub import for_page
from diffing.view.visitor import Visitor

Act: TypeAlias = Literal["read", "publish", "commit", "pr"]
"""What the Hub is asked for: to read, publish a dataset, commit to a card, or open a pull request for it."""
_FORBIDDEN = 403


@dataclass(frozen=True, slots=True)
class _OAuthScope:
    """An OAuth scope that visitors can grant to this app."""

    name: str
    """The narrowest scope that suffices."""
    also: frozenset[str]
    """Wider scopes that suffice too."""
    allows: str
    """What the scope allows, in words."""


_SCOPES: Mapping[Act, _OAuthScope] = {
    "publish": _OAuthScope("contribute-repos", frozenset({"manage-repos"}), "create datasets"),
    "commit": _OAuthScope("write-repos", frozenset({"manage-repos"}), "write to your repositories"),
    "pr": _OAuthScope("write-discussions", frozenset({"write-repos", "manage-repos"}), "open pull requests"),
}


def explain(error: DiffingError, visitor: Visitor, act: Act = "read") -> str:
    """Words an error in one line, with what the visitor can do about it.

    Args:
        error: The error.
        visitor: The visitor who reads it.
        act: What was attempted.
    """
    line = for_page(str(error), public=visitor.public)
    needed = _SCOPES.get(act)
    if isinstance(error, HubError) and error.status == _FORBIDDEN and needed and visitor.scopes is not None:
        if not visitor.scopes & {needed.name, *needed.also}:
            return (
                f"When you signed in, you did not allow this app to {needed.allows} (scope {needed.name}): sign out "
                "and in again, and allow it"
            )
        if act == "publish":
            return f"{line} This app may only write to datasets that it created: choose another name"
    return line
