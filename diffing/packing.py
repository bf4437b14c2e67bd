"""Distributes items over several questions to an LLM, so that no question exceeds a maximum size."""

from collections.abc import Callable, Sequence
from math import ceil, inf
from typing import TypeVar

T = TypeVar("T")

MOST_MATERIAL = 12_000
"""Most material of one question, in bytes of UTF-8: about 3,000 tokens of English and 4,000 of other languages. With
the template and a reply of 2,000 tokens, a question fits a context of 8,000 tokens."""


def size_of(text: str) -> int:
    """The size of a text in bytes, which for all languages is closer to the number of tokens than characters are."""
    return len(text.encode(errors="replace"))


def packed(
    items: Sequence[T], size: Callable[[T], int], *, most: int = MOST_MATERIAL, most_items: float = inf
) -> list[list[T]]:
    """Splits items, in their order, into packs; an item that is too large for any has a pack of its own.

    Args:
        items: What is packed.
        size: The size of an item, in bytes or characters.
        most: Largest sum of sizes in a pack.
        most_items: Largest number of items in a pack.
    """
    packs: list[list[T]] = []
    filled = 0
    for item in items:
        if not packs or len(packs[-1]) >= most_items or filled + size(item) > most:
            packs.append([])
            filled = 0
        packs[-1].append(item)
        filled += size(item)
    return packs


def packed_evenly(items: Sequence[T], size: Callable[[T], int], *, most: int = MOST_MATERIAL) -> list[list[T]]:
    """Like `packed`, but with packs of about the same size, so that none holds only a few items."""
    total = sum(map(size, items))
    even = total / max(1, ceil(total / most)) + max(map(size, items), default=0)
    return packed(items, size, most=min(most, ceil(even)))
