"""Who sits at the page: what the Hub is asked on whose behalf."""

from dataclasses import dataclass, field

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

    @property
    def acts_with(self) -> str | bool | None:
        """The token for the Hub's client: on a public machine never the machine's own."""
        return self.token or (False if self.rules.public else None)

    @property
    def key(self) -> tuple[str, bool]:
        """Tells visitors apart without their tokens."""
        return asker(self.token), self.rules.public
