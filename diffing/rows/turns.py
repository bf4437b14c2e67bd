"""Parses the turns of a conversation in the notations of common datasets and servers into `Message` objects."""

import ast
import json
import warnings
from collections.abc import Mapping, Sequence
from typing import TypeAlias, cast

from diffing.rows.table_files import loads
from diffing.types import Message, Role

ROLES: Mapping[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "prompter": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "model": "assistant",
    "ai": "assistant",
    "function_call": "assistant",
    # a tool's result is input to the model, and conversations here have no other role for it
    "tool": "user",
    "function": "user",
    "observation": "user",
    "ipython": "user",
}
"""The role for each name of a speaker that datasets use."""
_TOOLS = ("tool", "function", "observation", "ipython")
_TEXT_PARTS = ("text", "input_text", "output_text")
_THINKING_PARTS = ("reasoning", "thinking")
_THINKING_FIELDS = ("reasoning_content", "reasoning", "thinking")
_LONGEST_LIST_AS_TEXT = 4_000_000
"""Maximum length of a list of turns that is stored as text in a cell, in characters."""

Turn: TypeAlias = Mapping[str, object]


class RowError(ValueError):
    """A row that cannot be used; the reader of the file or dataset adds its position to the message."""


def turns_in(value: object, column: str) -> Sequence[object] | None:
    """The turns of a conversation, from a list or from text that contains a list, as in a CSV cell.

    Args:
        value: The value of a column.
        column: The column's name, for error messages.

    Returns:
        The turns; None if the value is plain text.

    Raises:
        RowError: The value is neither turns nor text.
    """
    if isinstance(value, str):
        return _turns_as_text(value, column)
    if not isinstance(value, Sequence) or isinstance(value, bytes) or not value:
        raise RowError(f"expected a text or a list of messages in {column!r}, got {kind(value)}")
    return value


def message_of(turn: object, column: str) -> Message:
    """Parses one turn with `role` and `content` or `from` and `value`; the content may consist of several parts.

    Raises:
        RowError: The value is not a turn, or contains something other than text.
    """
    if not isinstance(turn, Mapping):
        raise RowError(f"expected turns with role and content in {column!r}, got {kind(turn)}")
    role = turn.get("role", turn.get("from"))
    if not isinstance(role, str) or role.casefold() not in ROLES:
        raise RowError(
            f"expected turns with role (system, user, assistant) and content in {column!r}, got role {role!r:.40}"
        )
    text, _ = said_in(turn, column)
    # the label distinguishes a tool's result from a message of the user
    return Message(ROLES[role.casefold()], f"Tool result:\n{text}" if role.casefold() in _TOOLS else text)


def said_in(turn: Turn, column: str) -> tuple[str, str | None]:
    """The text and the thinking of a turn.

    Returns:
        The text, including tool calls; and the thinking if it is in separate fields or parts, else None.

    Raises:
        RowError: The turn contains something other than text.
    """
    content = turn.get("content", turn.get("value"))
    thoughts = [thought for name in _THINKING_FIELDS if isinstance(thought := turn.get(name), str) and thought]
    texts: list[str] = []
    if content is not None:
        texts, thought_parts = _parts(content, column)
        thoughts += thought_parts
    calls = [_call(call) for call in _listed(turn.get("tool_calls")) + _listed(turn.get("function_call"))]
    if content is None and not calls:
        raise RowError(f"expected turns with role and content in {column!r}, got content of type null")
    joined = "".join(texts) if turn.get("role") == "assistant" else "\n".join(texts)
    return "\n".join([*([joined] if joined or not calls else []), *calls]), "\n\n".join(thoughts) or None


def _parts(content: object, column: str) -> tuple[list[str], list[str]]:
    """The texts and thoughts of a content, which is text or a list of parts; parquet stores absent fields as null."""
    if isinstance(content, str):
        return [content], []
    texts, thoughts = [], []
    for part in [content] if isinstance(content, Mapping) else _listed(content) or [content]:
        type_ = part.get("type", "text") if isinstance(part, Mapping) else "text"
        text = part.get("text") if isinstance(part, Mapping) else part
        if type_ in _THINKING_PARTS and isinstance(part, Mapping):
            thoughts.append(str(part.get("reasoning") or part.get("thinking") or text or ""))
        elif type_ in _TEXT_PARTS and isinstance(text, str):
            texts.append(text)
        else:
            got = f"a part of type {type_!r:.40}" if isinstance(part, Mapping) else f"content of type {kind(part)}"
            raise RowError(f"expected turns with role and content that is text in {column!r}, got {got}")
    return texts, [thought for thought in thoughts if thought]


def _call(call: object) -> str:
    """A tool call as text, since it takes the place of the model's answer."""
    function = call.get("function", call) if isinstance(call, Mapping) else call
    if not isinstance(function, Mapping):
        return f"Tool call: {str(function)[:1000]}"
    arguments = function.get("arguments")
    given = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False, default=str)
    return f"Tool call: {function.get('name', function.get('function'))}({given})"


def _listed(value: object) -> list[object]:
    if value is None:
        return []
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str | bytes) else [value]


def _turns_as_text(text: str, column: str) -> Sequence[object] | None:
    """The list of turns that a text contains as JSON or in pandas' notation; None if it is ordinary text."""
    stripped = text.strip()
    if not stripped.startswith("[") or len(stripped) > _LONGEST_LIST_AS_TEXT:
        return None
    try:
        value = loads(stripped)
    except (ValueError, RecursionError):
        value = _python_list(stripped)
    if isinstance(value, list) and value and all(_is_turn(turn) for turn in value):
        return value
    if _looks_like_turns(stripped):
        raise RowError(f"expected a list of messages in {column!r}, got a text that is nearly one: write it as JSON")
    return None


def _looks_like_turns(text: str) -> bool:
    start = "".join(text[:80].split())
    return start.startswith(('[{"role"', "[{'role'", '[{"from"', "[{'from'", '[{"content"', "[{'content'"))


def _python_list(text: str) -> object:
    if not _looks_like_turns(text):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return cast(object, ast.literal_eval(text))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None


def _is_turn(value: object) -> bool:
    return (
        isinstance(value, Mapping) and ("role" in value or "from" in value) and ("content" in value or "value" in value)
    )


def kind(value: object) -> str:
    """The type of a value in JSON's terms, for error messages."""
    if value is None or value == []:
        return "null" if value is None else "an empty list"
    names = {dict: "an object", list: "a list", str: "a text", bool: "a boolean", int: "a number", float: "a number"}
    return names.get(cast(type, type(value)), type(value).__name__)
