"""Turns a user's text into a file path; refuses control characters and excessive length there and in other settings.

All paths from outside are made here, so that an unusable name gives one clear message instead of failing in some later
call. No file is read or written.
"""

import os
import unicodedata
from pathlib import Path

from diffing.errors import SettingError

LONGEST_NAME = 4_095
"""Maximum length of a path in bytes: Linux's limit, and far more than any model's name needs."""
_LONGEST_PART = 255
"""Maximum length of one part of a path in bytes, the limit of common file systems."""
_NO_TEXT = ("Cc", "Cs", "Zl", "Zp")
"""Unicode categories that are refused in one line of text: control characters, surrogates, line breaks."""
_LINES = str.maketrans("", "", "\n\r\t")


def check_text(text: str, what: str, *, lines: bool = False, longest: int = LONGEST_NAME) -> None:
    """Refuses text that no file, server or report can hold.

    Args:
        text: Any text.
        what: What the error message calls the text, such as `--model-a` or `the model`.
        lines: Whether line breaks and tabs are allowed.
        longest: Maximum length in bytes of UTF-8.

    Raises:
        SettingError: It contains control characters or surrogates (bytes that are not UTF-8), or is too long.
    """
    # a character takes at least one byte, so a text that is far too long need not be encoded
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
    """Turns a name into a path and expands `~` to the home folder.

    Args:
        name: The name as the user wrote it.

    Raises:
        SettingError: No file can have this name.
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
    """The path of an existing file or folder; None if there is none, or if no file can have this name.

    Args:
        name: A user's text, which may be something else than a path, such as the name of a model.
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
