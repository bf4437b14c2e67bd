"""Puts many short texts into one question to an LLM: a block of numbered lines, packed by length.

Every text becomes a single line, so no text can pass for several or begin a line of its own.
"""

from collections.abc import Sequence
from typing import TypeVar

from diffing.structured_replies import ReplyError, offered
from diffing.templates import Fenced, fence

T = TypeVar("T")


def numbered(texts: Sequence[str]) -> Fenced:
    """Makes one block of texts, a line each: `1 | the first text`.

    Args:
        texts: The texts; line ends and other runs of white space become single spaces.
    """
    return fence("\n".join(f"{number} | {' '.join(text.split())}" for number, text in enumerate(texts, 1)))


def packed(items: Sequence[T], texts: Sequence[str], *, most: int, characters: int) -> list[list[T]]:
    """Splits items, in their order, into the packs that one question each can take.

    Args:
        items: What is asked about.
        texts: The text of each item.
        most: The largest number of items in a pack.
        characters: The largest number of characters in a pack; a longer text forms a pack of its own.
    """
    packs: list[list[T]] = []
    length = 0
    for item, text in zip(items, texts, strict=True):
        length += len(text)
        if not packs or len(packs[-1]) == most or length > characters:
            packs.append([])
            length = len(text)
        packs[-1].append(item)
    return packs


def line_number(value: object, count: int) -> int | None:
    """Reads the number of a line in a reply, counted from 1, and returns it counted from 0; None if it names no line.

    Args:
        value: The number in the reply.
        count: The number of lines.
    """
    try:
        return int(offered(value, [str(number) for number in range(1, count + 1)])) - 1
    except ReplyError:
        return None
