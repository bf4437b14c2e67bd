"""Formats short texts as numbered lines in a question to an LLM, and checks line numbers in its replies.

Every text becomes a single line, so no text can pass for several or begin a line of its own.
"""

from collections.abc import Iterable

from diffing.structured_replies import ReplyError, offered
from diffing.templates import Fenced, fence


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
