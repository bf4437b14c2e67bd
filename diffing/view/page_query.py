"""What a link to the page says: the query of its address, such as `?run=...`. All of it may be anybody's text."""

from dataclasses import dataclass
from typing import Literal, TypeAlias
from urllib.parse import parse_qs, urlencode

What: TypeAlias = Literal["start", "pair", "run", "diff", "example", "gallery"]
"""`start`: nothing yet. `pair`: two models by name. `run`: a run of this app. `diff`: a dataset on the Hub."""

LONGEST = 2000
"""Characters of an address that are read."""


@dataclass(frozen=True, slots=True)
class Address:
    """One place in the app."""

    what: What = "start"
    """Which."""
    value: str = ""
    """The id of the run, the dataset, the example's key, the words searched for, or model A."""
    other: str = ""
    """Model B."""

    @property
    def query(self) -> str:
        """As it stands behind the question mark of a link; empty for the start."""
        named: dict[str, str] = {self.what: self.value}
        if self.what in ("start", "pair"):
            named = {"a": self.value, "b": self.other} if self.what == "pair" else {}
        return urlencode(named, safe="/:@")


def read_address(query: str) -> Address:
    """The place that a query names; the start where it names none.

    Args:
        query: With or without its question mark.
    """
    given = parse_qs(query[:LONGEST].removeprefix("?"), keep_blank_values=True)
    places: tuple[What, ...] = ("run", "diff", "example")
    for what in places:
        if value := given.get(what, [""])[0].strip():
            return Address(what, value)
    if "gallery" in given:
        return Address("gallery", given["gallery"][0].strip())
    a, b = (given.get(side, [""])[0].strip() for side in ("a", "b"))
    return Address("pair", a, b) if a or b else Address()
