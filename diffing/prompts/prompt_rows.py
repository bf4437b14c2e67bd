"""Extracts a prompt (id, messages, domain) from a row of a file or dataset, and filters rows by language or domain."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from diffing.errors import SettingError
from diffing.rows.column_names import find_column, listed
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
"""The language names that WildChat and LMSYS-Chat use, by ISO 639-1 code."""


@dataclass(frozen=True, slots=True)
class RowFilter:
    """Which rows to use, and which of their columns holds the prompt."""

    column: str | None = None
    """The column of the prompt or conversation; None finds it by its name."""
    language: str | None = None
    """Name or code of the only language to use; None uses all."""
    domains: tuple[str, ...] | None = None
    """The only domains to use; None uses all."""

    def check_columns(self, columns: Collection[str]) -> None:
        """Refuses rows without the columns that are needed.

        Raises:
            SettingError: There is no column for the prompt, or no language column although a language is given.
        """
        if self.column is not None and self.column not in columns:
            raise SettingError(f"expected the column {self.column!r}, got {listed(columns)}")
        if self.column is None and find_column(columns, CONVERSATION_COLUMNS + TEXT_COLUMNS) is None:
            usable = ", ".join(CONVERSATION_COLUMNS + TEXT_COLUMNS)
            raise SettingError(f"expected one of the columns {usable}, got {listed(columns)}; name the column to use")
        if self.language is not None and find_column(columns, LANGUAGE_COLUMNS) is None:
            raise SettingError(f"expected a column `language` to filter by, got {listed(columns)}")

    def record(self, row: Mapping[str, object]) -> Record | None:
        """Extracts the prompt of a row; None if the row is filtered out by its language or domain.

        Raises:
            RowError: The row contains no prompt.
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
    """The text or number in the first of these columns that exists; None if there is none."""
    column = find_column(row, names)
    value = row[column] if column else None
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    return str(value).strip() or None


def _speaks(value: object, language: str) -> bool:
    """Whether a row's language, such as `English`, `en` or `en-GB`, is the given one."""

    def name(text: str) -> str:
        text = text.strip().casefold()
        return LANGUAGES.get(text.split("-")[0].split("_")[0], text)

    return isinstance(value, str) and name(value) == name(language)


def _conversation(row: Mapping[str, object], column: str) -> Conversation:
    """The messages to send: a text as the only user message, or a list of messages that ends with a user turn.

    A conversation that ends with a user turn is used whole; one that is already answered, up to its first user turn.
    """
    value = row[column]
    turns = turns_in(value, column)
    if turns is None:
        if column.casefold() in CONVERSATION_COLUMNS and str(value).strip()[:1] in ("[", "{"):
            raise RowError(f"expected a list of messages in {column!r}, got a text that is no such list")
        message = Message(role="user", content=_checked(_whole_text(row, column), column))
        return (*_system(row), *_history(row), message)
    if all(isinstance(turn, str) for turn in turns):  # the user's turns only
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
    """The text of a prompt, including a second column that belongs to it.

    Alpaca has `input` and Dolly has `context` after an instruction; SQuAD has `context` before a question.
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
    """The system message, from a column of its own."""
    column = find_column(row, SYSTEM_COLUMNS)
    text = row[column] if column else None
    if column and isinstance(text, str) and text.strip():
        return [Message(role="system", content=_encodable(text, column))]
    return []


def _history(row: Mapping[str, object]) -> list[Message]:
    """The turns before the prompt, from a column of their own: messages, or pairs of message and answer."""
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
    """A user message, if it is not empty and can be encoded."""
    if not text.strip():
        raise RowError(f"expected a prompt in {column!r}, got an empty text")
    return _encodable(text, column)


def _encodable(text: str, column: str) -> str:
    """The text, if it can be sent and stored: JSON can spell lone surrogates, UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RowError(f"expected text in {column!r}, got half of a surrogate pair; fix the file's escapes") from None
    return text
