"""Text from models and users as code in Markdown: shown as it is. Knows no document."""

import re

from diffing.outputs.phrasing import one_line, several_lines

_LENGTH = 10_000


def code(text: str, length: int = _LENGTH) -> str:
    """Text as inline code, on one line.

    Args:
        text: Any text.
        length: Characters at most.
    """
    line = one_line(text, length)
    ticks = "`" * (_longest_run(line) + 1)
    space = " " if line[:1] == "`" or line[-1:] == "`" or not line else ""
    return f"{ticks}{space}{line or ' '}{space}{ticks}"


def block(text: str, language: str = "") -> str:
    """Text as a fenced block; its line breaks stay.

    Args:
        text: Any text.
        language: For the highlighting; our own word.
    """
    shown = several_lines(text)
    ticks = "`" * max(3, _longest_run(shown) + 1)
    return f"{ticks}{language}\n{shown}\n{ticks}"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
