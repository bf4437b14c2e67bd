"""A piece of a file, as a browser sends it: small, so that no request of an upload takes long. Nothing is believed."""

from base64 import b64decode
from typing import Annotated

from pydantic import BeforeValidator, Field

from diffing.view.router import Question, Ticked
from diffing.view.runs.uploads import MOST_BYTES
from diffing.view.start.form_parsing import NAME_LENGTH, line_of

PIECE_BYTES = 256 << 10
"""Of a file, in one request."""


def _decoded(data: object) -> bytes:
    if not isinstance(data, str) or len(data) > 4 * (PIECE_BYTES // 3 + 1):
        raise ValueError("expected a piece as base64")
    return b64decode(data, validate=True)


class Piece(Question):
    """What one request brings."""

    key: str = Field("", max_length=NAME_LENGTH)
    """Of the upload; empty with its first piece."""
    number: int = 0
    """Of the file in the upload."""
    name: str = Field(min_length=1, max_length=NAME_LENGTH)
    """The file's."""
    at: int = Field(0, ge=0, le=MOST_BYTES)
    """Where the piece begins."""
    data: Annotated[bytes, BeforeValidator(_decoded)] = b""
    """Its bytes."""
    last: Ticked = False
    """Whether nothing follows."""
    columns_given: str | None = Field(None, alias="columns")

    @property
    def columns(self) -> str | None:
        """What is what, if the visitor said so.

        Raises:
            SettingError: It is not one line of text.
        """
        return line_of({"columns_a": self.columns_given}, "columns_a") or None
