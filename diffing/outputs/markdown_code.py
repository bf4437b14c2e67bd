"""Formats text from models and users as Markdown code, so that none of it becomes markup."""

import re

from diffing.outputs.phrasing import one_line
from diffing.visible_text import several_lines

_LENGTH = 10_000


def code(text: str, length: int = _LENGTH) -> str:
    """Formats text as inline code on one line.

    Args:
        text: Any text.
        length: Maximum number of characters.
    """
    line = one_line(text, length)
    ticks = "`" * (_longest_run(line) + 1)
    space = " " if line[:1] == "`" or line[-1:] == "`" or not line else ""
    return f"{ticks}{space}{line or ' '}{space}{ticks}"


def block(text: str, language: str = "") -> str:
    """Formats text as a fenced code block; its line breaks stay.

    Args:
        text: Any text.
        language: Language for syntax highlighting; must not come from outside.
    """
    shown = several_lines(text)
    ticks = "`" * max(3, _longest_run(shown) + 1)
    return f"{ticks}{language}\n{shown}\n{ticks}"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
