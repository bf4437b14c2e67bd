"""Unpacks the files in a zip archive, including Zstandard compression, with a limit on their total size."""

import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

from diffing.errors import MissingExtraError, SettingError
from diffing.rows.content import MOST_BYTES
from diffing.rows.table_files import first_line

_ZSTANDARD = 93
"""The number of Zstandard compression in zip archives, which Python supports from 3.14 on."""
_LOCAL_HEADER = 30
"""Size in bytes of a member's local header; the lengths of the name and extra field that follow are at 26 and 28."""


def read_members(source: str, content: bytes, most: int = MOST_BYTES) -> Iterator[tuple[str, bytes]]:
    """Yields the name and content of every file in an archive; of two files with the same name, the later one.

    Args:
        source: The name of the archive for error messages.
        content: The archive's bytes.
        most: Maximum size of all files in bytes, counted while unpacking, since the sizes in an archive may be wrong.

    Raises:
        SettingError: The archive cannot be read, or its files are too large.
        MissingExtraError: The archive uses Zstandard, and its library is not installed.
    """
    left = most
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in {each.filename: each for each in archive.infolist()}.values():
                with _open(archive, member, content) as file:
                    data = file.read(left + 1)
                left -= len(data)
                if left < 0:
                    raise SettingError(f"{source} unpacks to more than {most >> 20} MB: expected a smaller archive")
                yield member.filename, data
    except ImportError:
        raise MissingExtraError(f"Unpacking {source}", "inspect") from None
    except _unreadable() as error:
        raise SettingError(f"{source} is not an archive that can be read ({first_line(error)})") from None


def _open(archive: zipfile.ZipFile, member: zipfile.ZipInfo, content: bytes) -> IO[bytes]:
    if member.compress_type != _ZSTANDARD:
        return archive.open(member)
    import zstandard

    start = member.header_offset
    name, extra = (int.from_bytes(content[start + at : start + at + 2], "little") for at in (26, 28))
    begin = start + _LOCAL_HEADER + name + extra
    packed = io.BytesIO(content[begin : begin + member.compress_size])
    return zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True)


def _unreadable() -> tuple[type[Exception], ...]:
    """The exceptions that broken archives raise, including Zstandard's if installed; RuntimeError means a password."""
    broken = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError)
    try:
        from zstandard import ZstdError
    except ImportError:
        return broken
    return (*broken, ZstdError)
