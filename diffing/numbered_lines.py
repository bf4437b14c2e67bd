"""Formats short texts as numbered lines in a question to an LLM, and reads replies with an entry for each number.

Every text becomes a single line, so no text can pass for several or begin a line of its own.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

from diffing.structured_replies import Items, ReplyError, UnreadableReply, entry, offered
from diffing.templates import Fenced, fence

T = TypeVar("T")


def numbered(texts: Iterable[str]) -> Fenced:
    """Makes one block of texts, a line each: `1 | the first text`.

    Args:
        texts: The texts; line ends and other runs of white space become single spaces.
    """
    return fence("\n".join(f"{number} | {' '.join(text.split())}" for number, text in enumerate(texts, 1)))


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


def answers_by_number(
    listed: Iterable[object],
    count: int,
    read: Callable[[object, int], T],
    *,
    key: str,
    missing: str,
    different: str | None = None,
) -> Items[T]:
    """Reads the entries of a reply that names what each entry is about by its number, and puts them in order.

    Entries with a number that was not shown are skipped.

    Args:
        listed: The entries, in any order.
        count: How many things were numbered in the question, from 1.
        read: Reads one entry, given its place counted from 0; raises ReplyError if that is impossible.
        key: The name under which an entry gives its number.
        missing: Why an answer without an entry is unreadable.
        different: Why an answer with two different entries is unreadable; None if the first entry counts.
    """
    numbers = [str(number) for number in range(1, count + 1)]
    found: dict[int, T | UnreadableReply] = {}
    for item in listed:
        try:
            place = int(offered(entry(item, key), numbers)) - 1
        except ReplyError:
            continue
        try:
            answer: T | UnreadableReply = read(item, place)
        except ReplyError as error:
            answer = UnreadableReply(str(error))
        if place not in found:
            found[place] = answer
        elif different is not None and found[place] != answer:
            found[place] = UnreadableReply(different)
    return tuple(found.get(place, UnreadableReply(missing)) for place in range(count))
