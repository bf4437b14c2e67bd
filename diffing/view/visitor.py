"""A visitor of the page: token, network address, the rules that apply, and the Hub client that acts for them."""

from dataclasses import dataclass, field

from diffing.hub import BoundedApi, hub_api
from diffing.view.caching import token_digest
from diffing.view.runs import PUBLIC, VisitorRules


@dataclass(frozen=True, slots=True)
class Visitor:
    """One visitor of this app."""

    token: str | None = field(default=None, repr=False)
    """The visitor's own token; None if they are not signed in."""
    rules: VisitorRules = PUBLIC
    """What visitors may ask for on this machine."""
    address: str = field(default="", compare=False, repr=False)
    """The network address of the request as the server sees it. Several people may share it."""

    can_sign_in: bool = field(default=False, compare=False)
    """Whether the page offers signing in."""
    scopes: frozenset[str] | None = field(default=None, compare=False)
    """The OAuth scopes that the visitor granted; None if the token does not come from signing in to this app."""

    @property
    def public(self) -> bool:
        """Whether strangers use this machine. Then visitors have no terminal on it, and must not act with its login."""
        return self.rules.public

    @property
    def login(self) -> str | None:
        """The token for actions that change something: the visitor's own or, on your own machine, that of its login."""
        from huggingface_hub import get_token

        return self.token or (None if self.public else get_token())

    @property
    def api(self) -> BoundedApi:
        """A Hub client that acts with `login`, or anonymously without one."""
        return hub_api(self.login or False)

    @property
    def acts_with(self) -> str | bool | None:
        """The token for reading from the Hub. On a public machine it is never the machine's own."""
        return self.token or (False if self.public else None)

    @property
    def key(self) -> tuple[str, bool]:
        """A cache key that tells visitors apart without holding their tokens."""
        return token_digest(self.token), self.public
