"""Validates the request with one chunk of an uploaded file. Chunks are small, so that no request takes long."""

from base64 import b64decode
from typing import Annotated

from pydantic import BeforeValidator, Field

from diffing.view.router import PageQuestion, Ticked
from diffing.view.runs.uploads import MOST_BYTES
from diffing.view.start.form_parsing import NAME_LENGTH, line_of

PIECE_BYTES = 256 << 10
"""Maximum number of bytes of a file in one request."""


def _decoded(data: object) -> bytes:
    if not isinstance(data, str) or len(data) > 4 * (PIECE_BYTES // 3 + 1):
        raise ValueError("expected a piece as base64")
    return b64decode(data, validate=True)


class UploadPiece(PageQuestion):
    """The content of one upload request."""

    key: str = Field("", max_length=NAME_LENGTH)
    """The key of the upload; empty for its first piece."""
    number: int = 0
    """The index of the file in the upload."""
    name: str = Field(min_length=1, max_length=NAME_LENGTH)
    """The name of the file."""
    at: int = Field(0, ge=0, le=MOST_BYTES)
    """The offset of the piece."""
    data: Annotated[bytes, BeforeValidator(_decoded)] = b""
    """The bytes of the piece."""
    last: Ticked = False
    """Whether this is the last piece."""
    columns_given: str | None = Field(None, alias="columns")

    @property
    def columns(self) -> str | None:
        """Which column holds what, if the visitor filled it in.

        Raises:
            SettingError: The value is not one line of text.
        """
        return line_of({"columns_a": self.columns_given}, "columns_a") or None
