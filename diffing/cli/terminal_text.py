"""Makes outside text safe to print, so that a terminal does not obey control characters in it."""

import json
import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from diffing.masking import MaskingFormatter
from diffing.visible_text import several_lines as plain

__all__ = ["PlainFormatter", "ignore_closed_pipe", "plain", "plain_json"]

_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")


@contextmanager
def ignore_closed_pipe() -> Iterator[None]:
    """Lets the work continue if the reader of a pipe stops reading, as in `diffing run ... | head`."""
    try:
        yield
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit):  # rich turns the former into the latter
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class PlainFormatter(MaskingFormatter):
    """Formats log messages that may contain text from a server or a file."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns the message without secrets and without control characters that a terminal would obey."""
        return plain(super().format(record))


def plain_json(value: object) -> str:
    """Returns equivalent JSON in which every character is escaped that a terminal would obey or the output cannot hold.

    Args:
        value: A value that strict JSON can represent.
    """
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    return _UNPRINTABLE.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    sign = found.group()
    if sign == "\n" or (sign.isprintable() and _can_be_written(sign)):
        return sign
    return json.dumps(sign)[1:-1]


def _can_be_written(sign: str) -> bool:
    """Whether the encoding of the output has a character; without an output it is that of files, UTF-8."""
    try:
        sign.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True
