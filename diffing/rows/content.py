"""Reads a file's bytes with a size limit, unpacks gzip, and decodes text."""

import json
import stat
import zlib
from gzip import GzipFile
from pathlib import Path

from diffing.errors import SettingError

MOST_BYTES = 1 << 30
"""Maximum size of a file in bytes once unpacked; its rows take several times as much memory."""


def suffix_of(path: Path) -> str:
    """The file ending of the format in lower case, such as `.jsonl` for `answers.jsonl.gz`."""
    return Path(path.stem if _is_packed(path) else path.name).suffix.lower()


def check_regular(source: str, path: Path) -> None:
    """Refuses a path that is neither a regular file nor a folder, such as `/dev/null` or a pipe; missing ones pass.

    Raises:
        SettingError: It is something else, which may be read only once, or never end.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        what = _IRREGULAR.get(stat.S_IFMT(path.stat().st_mode), "no file")
        raise SettingError(f"{source} is {what}: expected a regular file. Write what it holds to a file, and name that")


_IRREGULAR = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def read_content(source: str, path: Path, most: int = MOST_BYTES) -> bytes:
    """Reads a whole file, and unpacks it if it ends in `.gz`.

    Args:
        source: The name of the file for error messages.
        path: The file.
        most: Maximum size in bytes, both packed and unpacked.

    Raises:
        SettingError: It is no regular file, cannot be read or unpacked, or is too large.
    """
    check_regular(source, path)
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise SettingError(f"{source} cannot be read ({error.strerror}): check the file and its permissions") from None
    if len(content) <= most and _is_packed(path):
        content = _unpacked(source, path, most)
    if len(content) > most:
        raise SettingError(f"{source} holds more than {most >> 20} MB: expected a smaller file, take a part of it")
    return content


def text_of(source: str, content: bytes) -> str:
    """Decodes a file's bytes as UTF-8, or as UTF-16 or UTF-32 if the first bytes indicate it.

    Raises:
        SettingError: The text is in another encoding; the message names the line.
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
    """Unpacks at most one byte more than the limit, since a few kilobytes can contain gigabytes."""
    try:
        with GzipFile(path) as file:
            return file.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise SettingError(f"{source} cannot be unpacked as gzip ({error}): get the file again") from None
