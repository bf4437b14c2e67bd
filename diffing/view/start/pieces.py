"""A piece of a file, as a browser sends it: small, so that no request of an upload takes long. Nothing is believed."""

import binascii
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass

from diffing.errors import SettingError
from diffing.view.runs.uploads import MOST_BYTES
from diffing.view.start.reading import NAME_LENGTH, line_of

PIECE_BYTES = 256 << 10
"""Of a file, in one request."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What one request brings."""

    key: str
    """Of the upload; empty with its first piece."""
    number: int
    """Of the file in the upload."""
    name: str
    """The file's."""
    at: int
    """Where the piece begins."""
    data: bytes
    """Its bytes."""
    last: bool
    """Whether nothing follows."""
    columns: str | None
    """What is what, where the visitor said so."""


def read_piece(asked: Mapping[str, object]) -> Piece:
    """Reads a question that brings a piece.

    Raises:
        SettingError: It is not as the page sends it.
    """
    odd = SettingError("Expected a piece of a file, got something else: reload the page")
    key, name, data = (asked.get(field, "") for field in ("key", "name", "data"))
    number, at = (asked.get(field, 0) for field in ("number", "at"))
    if not (isinstance(key, str) and isinstance(name, str) and isinstance(data, str)):
        raise odd
    if len(key) > NAME_LENGTH or not 0 < len(name) <= NAME_LENGTH or len(data) > 4 * (PIECE_BYTES // 3 + 1):
        raise odd
    if not all(isinstance(each, int) and not isinstance(each, bool) for each in (number, at)):
        raise odd
    try:
        content = b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise odd from None
    assert isinstance(number, int)
    assert isinstance(at, int)
    if not 0 <= at <= MOST_BYTES:
        raise odd
    columns = line_of({"columns_a": asked.get("columns")}, "columns_a") or None
    return Piece(key, number, name, at, content, asked.get("last") is True, columns)
