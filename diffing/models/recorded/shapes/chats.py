"""Parses recordings of whole conversations whose last turn is the response (`messages`, ShareGPT `conversations`)."""

from collections.abc import Iterator

from diffing.models.recorded.shapes.shape import (
    Beside,
    RecordedAnswer,
    RecordingShape,
    asked_in,
    finish_at,
    id_at,
    last_said,
    model_at,
    text_at,
)
from diffing.rows.table_files import Row
from diffing.rows.turns import RowError, turns_in
from diffing.types import Completion, Message

_SHARED = ("conversations", "conversation")


def read_messages(row: Row, beside: Beside) -> Iterator[RecordedAnswer]:
    """The response that ends `messages`."""
    yield _last_turn(row, "messages")


def _read_shared(row: Row, beside: Beside) -> Iterator[RecordedAnswer]:
    yield _last_turn(row, next((name for name in _SHARED if name in row), _SHARED[0]))


def _last_turn(row: Row, column: str) -> RecordedAnswer:
    if column not in row:
        raise RowError(f"expected a column {column!r}, as in the first row")
    turns = turns_in(row[column], column)
    if turns is None:
        raise RowError(f"expected a list of turns in {column!r}, got a text")
    text, thinking = last_said(turns, column)
    messages = asked_in(turns[:-1], column)
    system = text_at(row, "system")
    if system and messages[0].role != "system":
        messages = (Message("system", system), *messages)
    return RecordedAnswer(
        messages=messages,
        completion=Completion(text=text, finish=finish_at(row), thinking=thinking),
        id=id_at(row, "id"),
        model=model_at(row),
        domain=text_at(row, "domain"),
    )


CHATS = RecordingShape(
    "conversations that end with the response",
    lambda row: "messages" in row and not {"response", "completion", "output", "answer"} & row.keys(),
    read_messages,
)
SHAREGPT = RecordingShape("ShareGPT conversations", lambda row: any(name in row for name in _SHARED), _read_shared)
