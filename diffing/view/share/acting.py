"""In whose name the Hub is asked, and what its refusals mean to them. Knows no result and no page."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from diffing.errors import DiffingError, HubError
from diffing.hub import BoundedApi, for_page, hub_api
from diffing.view.site import Site

if TYPE_CHECKING:
    import gradio

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


@dataclass(frozen=True, slots=True)
class Actor:
    """A visitor, as the Hub sees them."""

    token: str | None = field(repr=False)
    """Theirs, or on a machine of their own its login; None for nobody."""
    public: bool
    """Whether they have no terminal on this machine."""
    can_sign_in: bool = False
    """Whether the page lets visitors sign in."""
    scopes: frozenset[str] | None = None
    """What they granted to this app; None where their token does not come from signing in to it."""

    @property
    def api(self) -> BoundedApi:
        """Asks the Hub for them, and for nobody else: without a token of theirs, for nobody."""
        return hub_api(self.token or False)

    def said(self, error: DiffingError, act: Act = "read") -> str:
        """An error in one line, with what they can do about it here.

        Args:
            error: What is in the way.
            act: What was tried.
        """
        line = for_page(str(error), public=self.public)
        needed = _SCOPES.get(act)
        if isinstance(error, HubError) and error.status == _FORBIDDEN and needed and self.scopes is not None:
            if not self.scopes & {needed.name, *needed.also}:
                return (
                    f"When you signed in you did not allow this app to {needed.allows} (scope {needed.name}): sign out "
                    "and in again, and allow it"
                )
            if act == "publish":
                return f"{line} This app may only write to datasets that it made: give another name"
        return line


def actor(site: Site, token: "gradio.OAuthToken | None") -> Actor:
    """Who acts. The login of this machine acts only for those whose machine it is.

    Args:
        site: Says whose machine it is.
        token: What the visitor signed in with; None for one who did not.
    """
    from huggingface_hub import get_token

    public = site.settings.rules.public
    if token is not None:
        return Actor(token.token, public, site.settings.sign_in, frozenset(token.scope.split()))
    return Actor(None if public else get_token(), public, site.settings.sign_in)
