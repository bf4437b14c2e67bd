"""Text from outside on a terminal: nothing in it is obeyed."""

import json
import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from diffing.masking import MaskingFormatter
from diffing.outputs.phrasing import several_lines as plain

__all__ = ["PlainFormatter", "ignore_closed_pipe", "plain", "plain_json"]

_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")


@contextmanager
def ignore_closed_pipe() -> Iterator[None]:
    """Whoever reads the output may have enough, as in `diffing run ... | head`: what comes after is still done."""
    try:
        yield
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit):  # the latter is what rich makes of the former
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class PlainFormatter(MaskingFormatter):
    """Messages that may tell what a server or a file said."""

    def format(self, record: logging.LogRecord) -> str:
        """The message, without what a terminal would obey, and without secrets."""
        return plain(super().format(record))


def plain_json(value: object) -> str:
    """JSON that reads back the same, with every sign that a terminal would obey as an escape.

    Args:
        value: What strict JSON can hold.
    """
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    return _UNPRINTABLE.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    sign = found.group()
    return sign if sign.isprintable() or sign == "\n" else json.dumps(sign)[1:-1]
