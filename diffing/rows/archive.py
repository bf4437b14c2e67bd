"""Members of a zip archive, bounded, also those packed with Zstandard. Knows nothing of what is in them."""

import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

from diffing.errors import MissingExtraError, SettingError
from diffing.rows.content import MOST_BYTES
from diffing.rows.table_files import first_line

_ZSTANDARD = 93
"""The method's number in zip archives; Python knows it from 3.14 on."""
_LOCAL_HEADER = 30
"""Bytes of a member's own header before its name, whose length and that of an extra field stand at 26 and 28."""


def read_members(source: str, content: bytes, most: int = MOST_BYTES) -> Iterator[tuple[str, bytes]]:
    """Every file in an archive; of two with one name the later.

    Args:
        source: What messages call the archive.
        content: The archive's bytes.
        most: Bytes of all members together, counted while they are unpacked: what an archive says of itself may lie.

    Raises:
        SettingError: It is no archive that can be read, or holds too much.
        MissingExtraError: It is packed with Zstandard, whose library is not installed.
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
    """What broken archives raise; of Zstandard, where its library is there. RuntimeError: one with a password."""
    broken = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError)
    try:
        from zstandard import ZstdError
    except ImportError:
        return broken
    return (*broken, ZstdError)
