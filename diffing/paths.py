"""A user's text as the name of a file or folder: the one place where text becomes a path.

Knows no format and reads no file. Text from outside can be anything: names that the system cannot take are refused here
in one line, before some later call fails on them in its own way.
"""

import os
import unicodedata
from pathlib import Path

from diffing.errors import SettingError

LONGEST_NAME = 4_095
"""Bytes of a whole name: what Linux takes as a path, and far more than any model's name has."""
_LONGEST_PART = 255
"""Bytes between two slashes, which is what common file systems take."""
_NO_TEXT = ("Cc", "Cs", "Zl", "Zp")
"""Unicode's categories of what is no text of one line: control characters, half characters, line breaks."""
_LINES = str.maketrans("", "", "\n\r\t")


def check_text(text: str, what: str, *, lines: bool = False, longest: int = LONGEST_NAME) -> None:
    """Refuses text that no file, server or report can take as it is.

    Args:
        text: Anything.
        what: What it is, for the message: `--model-a`, `the model`.
        lines: Whether it may have several lines and tabs.
        longest: Bytes of UTF-8, at most.

    Raises:
        SettingError: It holds control characters or half characters (bytes that are not UTF-8), or is too long.
    """
    # a character has one byte at least: what is far too long is not looked at further
    if len(text) > longest or len(text.encode(errors="surrogatepass")) > longest:
        raise SettingError(f"{what} is {text!r:.60}...: expected at most {longest:,} bytes. Give a shorter one")
    if text.isascii() and text.isprintable():
        return
    for sign in text.translate(_LINES) if lines else text:
        if unicodedata.category(sign) in _NO_TEXT:
            raise SettingError(
                f"{what} is {text!r:.60}, which holds {_named(sign)}: expected "
                f"{'text' if lines else 'one line of text'} in UTF-8. Correct it, or rename what it names"
            )


def path_of(name: Path | str) -> Path:
    """A name as a path; `~` stands for the home folder.

    Args:
        name: As a user gave it.

    Raises:
        SettingError: No file can be named so.
    """
    text = str(name)
    check_text(text, "The name of a file or folder")
    if not text.strip():
        raise SettingError("The name of a file or folder is empty, as a variable that is not set gives it: write one")
    if any(len(os.fsencode(part)) > _LONGEST_PART for part in text.split(os.sep)):
        raise SettingError(
            f"The name of a file or folder is {text!r:.60}...: expected at most {_LONGEST_PART} bytes between two "
            "slashes. Give a shorter name"
        )
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise SettingError(
            f"{text!r:.60} begins with ~, but no home folder is known by that name: write the whole path"
        ) from None


def existing(name: str) -> Path | None:
    """The path of a file or folder of that name; None where there is none, or where none can be named so.

    Args:
        name: A user's text that may as well be something else, such as the name of a model.
    """
    if not name:
        return None
    try:
        path = path_of(name)
        return path if path.exists() else None
    except (SettingError, OSError):
        return None


def _named(sign: str) -> str:
    half = unicodedata.category(sign) == "Cs"
    return f"{'a byte that is not UTF-8' if half else 'a control character'} ({ascii(sign)[1:-1]})"
