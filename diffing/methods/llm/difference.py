"""`Difference`: one difference between two responses as an LLM described it, and the checks of its quotes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from diffing.templates import fence
from diffing.types import Category, Side


@dataclass(frozen=True, slots=True)
class Difference:
    """One observed contrast in one pair."""

    prompt_id: str
    """The prompt id of the pair."""
    owner: Side
    """The side whose response shows the behaviour."""
    behaviour: str
    """A sentence about the owner, for which `<MODEL>` stands."""
    condition: str
    """The kind of prompt that the behaviour depends on, as a clause that begins with "when"; empty if on none."""
    category: Category | None
    """The category; None if the LLM named none of those offered."""
    quote_a: str | None
    """Words of A's response that show it, verified."""
    quote_b: str | None
    """Words of B's response that show it, verified."""

    def quote(self, side: Side) -> str | None:
        """The quote of one side's response."""
        return self.quote_a if side == "a" else self.quote_b


def verified_quote(item: object, place: str, response: str) -> tuple[str | None, bool]:
    """Looks up the quoted words in the response; whitespace may differ, nothing else.

    Returns:
        The words as they stand in the response, or None; and whether there was a quote that does not occur in it.
    """
    value = item.get(f"quote_{place}") if isinstance(item, Mapping) else None
    words = value.split() if isinstance(value, str) else []
    if not words:
        return None, False
    # the LLM saw the defused text, in which every character stands at the same place
    found = re.search(r"\s+".join(map(re.escape, words)), fence(response).text)
    return (response[found.start() : found.end()], False) if found else (None, True)
