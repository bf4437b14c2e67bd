"""Parses and builds the query of a link to the page, such as `?run=...`. A query may hold anything."""

from dataclasses import dataclass
from typing import Literal, TypeAlias
from urllib.parse import parse_qs, urlencode

What: TypeAlias = Literal["start", "pair", "run", "diff", "example", "gallery"]
"""The kind of an address. `start`: the empty start page. `pair`: two models by name. `run`: a run of this app. `diff`:
a dataset on the Hub."""

LONGEST = 2000
"""Maximum number of characters of a query that are parsed."""


@dataclass(frozen=True, slots=True)
class PageAddress:
    """The address of one place in the app."""

    what: What = "start"
    """The kind of place."""
    value: str = ""
    """The id of the run, the dataset, the key of the example, the search words, or model A, depending on `what`."""
    other: str = ""
    """Model B of a pair."""

    @property
    def query(self) -> str:
        """The text after the question mark of a link; empty for the start page."""
        named: dict[str, str] = {self.what: self.value}
        if self.what in ("start", "pair"):
            named = {"a": self.value, "b": self.other} if self.what == "pair" else {}
        return urlencode(named, safe="/:@")


def read_address(query: str) -> PageAddress:
    """Parses a query; one that names nothing means the start page.

    Args:
        query: The query, with or without its question mark.
    """
    given = parse_qs(query[:LONGEST].removeprefix("?"), keep_blank_values=True)
    places: tuple[What, ...] = ("run", "diff", "example")
    for what in places:
        if value := given.get(what, [""])[0].strip():
            return PageAddress(what, value)
    if "gallery" in given:
        return PageAddress("gallery", given["gallery"][0].strip())
    a, b = (given.get(side, [""])[0].strip() for side in ("a", "b"))
    return PageAddress("pair", a, b) if a or b else PageAddress()
