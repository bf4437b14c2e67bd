"""What a visitor is allowed to do by signing in, and what the Hub's refusals mean to them. Knows no page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from diffing.errors import DiffingError, HubError
from diffing.hub import for_page
from diffing.view.visitor import Visitor

Act: TypeAlias = Literal["read", "publish", "commit", "pr"]
"""What the Hub is asked for: to write a dataset, a card, or a proposal of one."""
_FORBIDDEN = 403


@dataclass(frozen=True, slots=True)
class _Scope:
    """What somebody grants an app when they sign in to it."""

    name: str
    """The narrowest scope that is enough."""
    also: frozenset[str]
    """Wider ones."""
    allows: str
    """What it allows."""


_SCOPES: Mapping[Act, _Scope] = {
    "publish": _Scope("contribute-repos", frozenset({"manage-repos"}), "make datasets"),
    "commit": _Scope("write-repos", frozenset({"manage-repos"}), "write to your repositories"),
    "pr": _Scope("write-discussions", frozenset({"write-repos", "manage-repos"}), "open pull requests"),
}


def said(error: DiffingError, visitor: Visitor, act: Act = "read") -> str:
    """An error in one line, with what a visitor can do about it here.

    Args:
        error: What is in the way.
        visitor: Who is told.
        act: What was tried.
    """
    line = for_page(str(error), public=visitor.public)
    needed = _SCOPES.get(act)
    if isinstance(error, HubError) and error.status == _FORBIDDEN and needed and visitor.scopes is not None:
        if not visitor.scopes & {needed.name, *needed.also}:
            return (
                f"When you signed in you did not allow this app to {needed.allows} (scope {needed.name}): sign out "
                "and in again, and allow it"
            )
        if act == "publish":
            return f"{line} This app may only write to datasets that it made: give another name"
    return line
