"""Bytes of a file, bounded and unpacked, and their text. Knows no format of rows."""

import json
import zlib
from gzip import GzipFile
from pathlib import Path

from diffing.errors import SettingError

MOST_BYTES = 1 << 30
"""Bytes of a file that are read, unpacked, at most: rows take several times as much memory."""


def suffix_of(path: Path) -> str:
    """The ending that tells the format, in small letters: `.jsonl` of `answers.jsonl.gz`."""
    return Path(path.stem if _is_packed(path) else path.name).suffix.lower()


def read_content(source: str, path: Path, most: int = MOST_BYTES) -> bytes:
    """A whole file; one that ends in `.gz` unpacked.

    Args:
        source: What messages call the file.
        path: The file.
        most: Bytes, at most, packed and unpacked.

    Raises:
        SettingError: It cannot be read or unpacked, or is too large.
    """
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise SettingError(f"{source} cannot be read ({error.strerror}): check the file and its rights") from None
    if len(content) <= most and _is_packed(path):
        content = _unpacked(source, path, most)
    if len(content) > most:
        raise SettingError(f"{source} holds more than {most >> 20} MB: expected a smaller file, take a part of it")
    return content


def text_of(source: str, content: bytes) -> str:
    """The text: UTF-8, or UTF-16 or UTF-32 where the first bytes say so.

    Raises:
        SettingError: It is in another encoding; with the line where that shows.
    """
    encoding = json.detect_encoding(content[:4])
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        named = "UTF-8" if encoding.startswith("utf-8") else encoding.upper()
        raise SettingError(f"{source}, line {line}: not {named}. Save the file as UTF-8") from None


def _is_packed(path: Path) -> bool:
    return path.suffix.lower() == ".gz"


def _unpacked(source: str, path: Path, most: int) -> bytes:
    """Never more than one byte too many: a few kilobytes can hold gigabytes."""
    try:
        with GzipFile(path) as file:
            return file.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise SettingError(f"{source} cannot be unpacked as gzip ({error}): get the file again") from None
