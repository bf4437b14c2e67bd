"""One row of a file or dataset in, one prompt's id, messages and domain out. Knows columns, no file format."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from diffing.errors import SettingError
from diffing.rows.columns import find_column, listed
from diffing.rows.turns import RowError, kind, message_of, turns_in
from diffing.types import Conversation, Message

Record: TypeAlias = tuple[str | None, Conversation, str | None]
"""A prompt before its split: id or None, messages, domain or None."""

CONVERSATION_COLUMNS = ("messages", "conversation", "conversations", "turns")
TEXT_COLUMNS = ("prompt", "question", "instruction", "text", "query", "request", "original_prompt", "input")
ID_COLUMNS = ("id", "prompt_id", "question_id", "uid", "key")
DOMAIN_COLUMNS = ("domain", "category", "topic")
SYSTEM_COLUMNS = ("system_prompt", "system")
LANGUAGE_COLUMNS = ("language", "lang")
LANGUAGES = {
    "ar": "arabic", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": "english", "es":
    "spanish", "fi": "finnish", "fr": "french", "he": "hebrew", "hi": "hindi", "hu": "hungarian", "id":
    "indonesian", "it": "italian", "ja": "japanese", "ko": "korean", "nl": "dutch", "no": "norwegian", "pl":
    "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sv": "swedish", "th": "thai", "tr":
    "turkish", "uk": "ukrainian", "vi": "vietnamese", "zh": "chinese",
}  # fmt: skip
"""ISO 639-1 codes and the names that WildChat and LMSYS-Chat use."""


@dataclass(frozen=True, slots=True)
class RowFilter:
    """Which rows are wanted, and where the prompt stands in them."""

    column: str | None = None
    """The prompt's or conversation's column; found by its name where None."""
    language: str | None = None
    """Name or code of the only language wanted."""
    domains: tuple[str, ...] | None = None
    """The only domains wanted."""

    def check_columns(self, columns: Collection[str]) -> None:
        """Refuses rows in which the prompt cannot be found.

        Raises:
            SettingError: There is no usable column, or no language column where a language is wanted.
        """
        if self.column is not None and self.column not in columns:
            raise SettingError(f"expected the column {self.column!r}, got {listed(columns)}")
        if self.column is None and find_column(columns, CONVERSATION_COLUMNS + TEXT_COLUMNS) is None:
            usable = ", ".join(CONVERSATION_COLUMNS + TEXT_COLUMNS)
            raise SettingError(f"expected one of the columns {usable}, got {listed(columns)}; name the column to use")
        if self.language is not None and find_column(columns, LANGUAGE_COLUMNS) is None:
            raise SettingError(f"expected a column `language` to filter by, got {listed(columns)}")

    def record(self, row: Mapping[str, object]) -> Record | None:
        """The prompt of a row; None where its language or domain is not wanted.

        Raises:
            RowError: The row is no prompt.
            SettingError: See `check_columns`.
        """
        self.check_columns(row.keys())
        if self.language is not None and not _speaks(row[find_column(row, LANGUAGE_COLUMNS) or ""], self.language):
            return None
        domain = _text_or_none(row, DOMAIN_COLUMNS)
        if self.domains is not None and domain not in self.domains:
            return None
        column = self.column or find_column(row, CONVERSATION_COLUMNS + TEXT_COLUMNS) or ""
        return _text_or_none(row, ID_COLUMNS), _conversation(row, column), domain


def _text_or_none(row: Mapping[str, object], names: Sequence[str]) -> str | None:
    """A name or number from the first of these columns that is there."""
    column = find_column(row, names)
    value = row[column] if column else None
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    return str(value).strip() or None


def _speaks(value: object, language: str) -> bool:
    """Whether a row's language, `English`, `en` or `en-GB`, is the one wanted."""

    def name(text: str) -> str:
        text = text.strip().casefold()
        return LANGUAGES.get(text.split("-")[0].split("_")[0], text)

    return isinstance(value, str) and name(value) == name(language)


def _conversation(row: Mapping[str, object], column: str) -> Conversation:
    """What is sent: a text as the user's only message, a list of messages up to the user's turn.

    A conversation that ends with the user is sent whole; one that is already answered up to its first user turn.
    """
    value = row[column]
    turns = turns_in(value, column)
    if turns is None:
        if column.casefold() in CONVERSATION_COLUMNS and str(value).strip()[:1] in ("[", "{"):
            raise RowError(f"expected a list of messages in {column!r}, got a text that is no such list")
        said = Message(role="user", content=_checked(_whole_text(row, column), column))
        return (*_system(row), *_history(row), said)
    if all(isinstance(turn, str) for turn in turns):  # turns of the user alone
        return (*_system(row), Message(role="user", content=_checked(str(turns[0]), column)))
    messages = tuple(message_of(turn, column) for turn in turns)
    if messages[-1].role != "user" or column.casefold().startswith("conversation"):
        first = next((i for i, message in enumerate(messages) if message.role == "user"), None)
        if first is None:
            raise RowError(f"expected a user's turn in {column!r}, got none")
        messages = messages[: first + 1]
    for message in messages:
        _encodable(message.content, column)
    _checked(messages[-1].content, column)
    return messages if messages[0].role == "system" else (*_system(row), *messages)


def _whole_text(row: Mapping[str, object], column: str) -> str:
    """The prompt of a row that splits it in two.

    Alpaca has `input` and Dolly `context` after an instruction; SQuAD has `context` before a question.
    """
    text, context = str(row[column]), row.get("context")
    if column.casefold() == "instruction":
        parts = [text, row.get("input"), context]
    elif column.casefold() == "question":
        parts = [context, text]
    else:
        return text
    if context is not None and not isinstance(context, str):
        raise RowError(f"expected a text in 'context', got {kind(context)}; write the whole prompt into one column")
    return "\n\n".join(each for each in parts if isinstance(each, str) and (each.strip() or each is text))


def _system(row: Mapping[str, object]) -> list[Message]:
    """The system's turn, in a column of its own."""
    column = find_column(row, SYSTEM_COLUMNS)
    text = row[column] if column else None
    if column and isinstance(text, str) and text.strip():
        return [Message(role="system", content=_encodable(text, column))]
    return []


def _history(row: Mapping[str, object]) -> list[Message]:
    """The turns before the prompt, in a column of their own: messages, or pairs of what was said and answered."""
    column = find_column(row, ("history",))
    turns = turns_in(row[column], column) if column and row[column] else None
    if column is None or not turns:
        return []
    messages: list[Message] = []
    for turn in turns:
        if isinstance(turn, Sequence) and len(turn) == 2 and all(isinstance(text, str) for text in turn):
            messages += [Message(role="user", content=str(turn[0])), Message(role="assistant", content=str(turn[1]))]
        else:
            messages.append(message_of(turn, column))
    for message in messages:
        _encodable(message.content, column)
    return messages


def _checked(text: str, column: str) -> str:
    """A user's message that says something."""
    if not text.strip():
        raise RowError(f"expected a prompt in {column!r}, got an empty text")
    return _encodable(text, column)


def _encodable(text: str, column: str) -> str:
    """Text that can be sent and stored: JSON can hold halves of surrogate pairs, UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RowError(f"expected text in {column!r}, got half of a surrogate pair; mend the file's escapes") from None
    return text
