"""Who sits at the page, and in whose name the Hub is asked for them."""

from dataclasses import dataclass, field

from diffing.hub import BoundedApi, hub_api
from diffing.view.caching import asker
from diffing.view.runs import PUBLIC, Rules


@dataclass(frozen=True, slots=True)
class Visitor:
    """One visitor, under the rules of this machine."""

    token: str | None = field(default=None, repr=False)
    """The visitor's own; None for one who is not signed in."""
    rules: Rules = PUBLIC
    """What may be asked for here."""
    address: str = field(default="", compare=False, repr=False)
    """Where the request comes from, as the server sees it; several people may share it."""

    can_sign_in: bool = field(default=False, compare=False)
    """Whether the page lets visitors sign in."""
    scopes: frozenset[str] | None = field(default=None, compare=False)
    """What they granted to this app; None if their token does not come from signing in to it."""

    @property
    def public(self) -> bool:
        """Whether strangers use this machine: then they have no terminal on it, and its login is not theirs."""
        return self.rules.public

    @property
    def login(self) -> str | None:
        """The token with which they change something: their own, or on a machine of their own its login."""
        from huggingface_hub import get_token

        return self.token or (None if self.public else get_token())

    @property
    def api(self) -> BoundedApi:
        """Asks the Hub in the name of `login`, and without one in nobody's."""
        return hub_api(self.login or False)

    @property
    def acts_with(self) -> str | bool | None:
        """The token for the Hub's client: on a public machine never the machine's own."""
        return self.token or (False if self.public else None)

    @property
    def key(self) -> tuple[str, bool]:
        """Tells visitors apart without their tokens."""
        return asker(self.token), self.public
