"""The `RecordingShape` type, one format of recorded responses, and the parsing functions that all formats share."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, get_args

from diffing.models.surrogates import without_surrogates
from diffing.models.thinking import split_thinking
from diffing.rows.column_names import find_column
from diffing.rows.table_files import Row
from diffing.rows.turns import RowError, kind, message_of, said_in, turns_in
from diffing.types import Completion, Conversation, Finish, Message

Beside: TypeAlias = Mapping[str, Row]
"""Rows of the companion file by their key; empty if there is no such file."""

MODEL_COLUMNS = ("model", "model_id", "generator", "model_name", "model_name_or_path", "model_path")
FINISH_COLUMNS = ("finish", "finish_reason", "stop_reason", "done_reason")
_FINISHES: Mapping[str, Finish] = {
    **{
        name: "stop" for name in ("eos", "eos_token", "end_turn", "stop_sequence", "complete", "completed", "endoftext")
    },
    **{name: "stop" for name in ("tool_calls", "tool_use", "function_call", "unknown")},
    **{name: "length" for name in ("max_tokens", "max_output_tokens", "model_length", "max_length")},
    **{name: "refused" for name in ("content_filter", "refusal", "safety")},
    **{name: name for name in get_args(Finish)},
}
"""`Completion.finish` by the servers' finish reasons, in lower case."""


@dataclass(frozen=True, slots=True)
class RecordedAnswer:
    """One recorded response, in the form that every format is parsed into."""

    messages: Conversation
    """The messages of the prompt; empty if the file stores only its id."""
    completion: Completion
    """The recorded answer."""
    id: str | None = None
    """The id of the prompt, unique in the file for one sample number."""
    sample: int = 0
    """The sample number."""
    model: str | None = None
    """The name of the model that answered."""
    domain: str | None = None
    """The subject of the prompt."""


@dataclass(frozen=True, slots=True)
class Companion:
    """The second file of a format, which holds the prompts."""

    what: str
    """The name of the file for messages."""
    key: str
    """The field that matches prompts to responses."""
    names: Callable[[Path], Sequence[Path]]
    """Returns the possible locations of the file, given the file of the responses."""


@dataclass(frozen=True, slots=True)
class RecordingShape:
    """One format in which a tool writes responses."""

    name: str
    """The name of the format in the plural, for messages such as "read as FastChat answers"."""
    fits: Callable[[Row], bool]
    """Whether a row has this format, judging from the names of its fields."""
    read: Callable[[Row, Beside], Iterator[RecordedAnswer]]
    """The responses in one row. Raises RowError for a row that cannot be used."""
    companion: Companion | None = None
    """The second file; None if the format has none."""
    remark: str | None = None
    """A note on the format for the reader of the report."""


def is_none(value: object) -> bool:
    """Whether a field about a response says nothing, also in words such as "None", which tools write for it as text."""
    return value is None or (isinstance(value, str) and value.strip().casefold() in _NONE)


_NONE = frozenset({"", "none", "null", "nan"})


def said_texts(value: object, column: str) -> list[tuple[str, str | None]]:
    """Texts and thinking of all samples in a value: a text, a turn, turns that end with the assistant's, or a list.

    Raises:
        RowError: The value holds no text.
    """
    if isinstance(value, str):
        turns = turns_in(value, column)
        return [_apart(value)] if turns is None else [last_said(turns, column)]
    if isinstance(value, Mapping):
        return [_said(value, column)]
    if isinstance(value, Sequence) and not isinstance(value, bytes) and value:
        if all(isinstance(each, str) for each in value):
            return [_apart(str(each)) for each in value]
        if all(isinstance(each, Mapping) for each in value):
            return [last_said(value, column)]
    raise RowError(f"`{column}` must be text (it may be empty), got {kind(value)}")


def said_text(value: object, column: str) -> tuple[str, str | None]:
    """Text and thinking of a value that holds one sample.

    Raises:
        RowError: The value holds no text, or several.
    """
    samples = said_texts(value, column)
    if len(samples) > 1:
        raise RowError(f"`{column}` must be one text, got a list of {len(samples)}")
    return samples[0]


def last_said(turns: Sequence[object], column: str) -> tuple[str, str | None]:
    """Text and thinking of the last turn, which must be the assistant's."""
    last = message_of(turns[-1], column)
    if last.role != "assistant" or not isinstance(turns[-1], Mapping):
        raise RowError(f"the last turn of `{column}` must be the assistant's, got the {last.role}'s")
    return _said(turns[-1], column)


def _said(turn: Mapping[str, object], column: str) -> tuple[str, str | None]:
    text, thinking = said_in({**turn, "role": "assistant"}, column)
    return (without_surrogates(text), without_surrogates(thinking)) if thinking else _apart(text)


def _apart(text: str) -> tuple[str, str | None]:
    return split_thinking(without_surrogates(text))


def asked_in(turns: Sequence[object], column: str) -> Conversation:
    """The messages of a prompt, whose last turn must be the user's.

    Raises:
        RowError: The last turn is not the user's, or a turn holds something other than text.
    """
    messages = tuple(
        Message(message.role, without_surrogates(message.content))
        for message in (message_of(turn, column) for turn in turns)
    )
    if not messages:
        raise RowError(f"`{column}` holds no prompt before the response")
    if messages[-1].role != "user":
        raise RowError(f"the last of `{column}` must be the user's, got the {messages[-1].role}'s")
    if not any(message.content.strip() for message in messages if message.role == "user"):
        raise RowError(f"`{column}` must hold a prompt that is not empty, got empty text")
    return messages


def one_turn(prompt: object, column: str) -> Conversation:
    """The messages of a prompt that is a text or a list of turns."""
    if not isinstance(prompt, str | Sequence) or (isinstance(prompt, str) and not prompt.strip()):
        got = "empty text" if isinstance(prompt, str) else kind(prompt)
        raise RowError(f"`{column}` must be text that is not empty, got {got}")
    turns = turns_in(prompt, column)
    return (Message("user", without_surrogates(str(prompt))),) if turns is None else asked_in(turns, column)


def numbered(
    kind_of_part: str, parts: Sequence[object], read: Callable[[object], Iterator[RecordedAnswer]]
) -> Iterator[RecordedAnswer]:
    """The answers in all parts of a row, such as its requests; an error names the part by its number, from 1.

    Raises:
        RowError: A part cannot be used.
    """
    for number, part in enumerate(parts, start=1):
        try:
            yield from read(part)
        except RowError as error:
            raise RowError(f"{kind_of_part} {number}: {error}") from None


def text_at(row: Row, *names: str) -> str | None:
    """The text of the first of these columns that exists and is not empty.

    Raises:
        RowError: The column holds something other than text.
    """
    for name in names:
        column = find_column(row, (name,))
        value = row[column] if column else None
        if value is None or value == "":
            continue
        if not isinstance(value, str):
            raise RowError(f"`{column}` must be text, got {kind(value)}")
        return without_surrogates(value)
    return None


def model_at(row: Row) -> str | None:
    """The name of the model that answered; of a folder only its name, since reports may be published."""
    name = next((name for each in MODEL_COLUMNS if not is_none(name := text_at(row, each))), None)
    is_path = name is not None and (name.startswith(("/", "~", ".")) or "\\" in name)
    return re.split(r"[/\\]", name.rstrip("/\\"))[-1] if name and is_path else name


def id_at(row: Row, *names: str) -> str | None:
    """The id in a row, a text or a number, from the first of these fields that has one."""
    for name in names:
        value = row.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
    return text_at(row, *names)


def finish_of(value: object, column: str = "finish_reason") -> Finish:
    """Converts a server's finish reason; `stop` if there is none, or the word for none (see `is_none`).

    Raises:
        RowError: The reason is unknown.
    """
    if is_none(value):
        return "stop"
    finish = _FINISHES.get(value.strip().casefold()) if isinstance(value, str) else None
    if finish is None:
        got = repr(value[:30]) if isinstance(value, str) else kind(value)
        raise RowError(f"`{column}` must be one of {', '.join(get_args(Finish))}, got {got}")
    return finish


def finish_at(row: Row) -> Finish:
    """Why a response ended, from the first column that says so."""
    for name in FINISH_COLUMNS:
        column = find_column(row, (name,))
        if column and not is_none(row[column]):
            return finish_of(row[column], column)
    return "stop"


def failed(reason: object) -> Completion:
    """The completion for a request that failed; the prompt is left out and counted."""
    told = "" if is_none(reason) else " ".join(without_surrogates(str(reason)).split())[:200]
    return Completion(text="", finish="error", detail=f"recorded as failed: {told or 'no reason was given'}")
