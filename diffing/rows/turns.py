"""Turns in the notations that datasets and servers have, to a conversation. Knows no file and no column's meaning."""

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
    # what a tool answered is said to the model; conversations here have no role for it
    "tool": "user",
    "function": "user",
    "observation": "user",
    "ipython": "user",
}
"""What datasets call those who speak."""
_TOOLS = ("tool", "function", "observation", "ipython")
_TEXT_PARTS = ("text", "input_text", "output_text")
_THINKING_PARTS = ("reasoning", "thinking")
_THINKING_FIELDS = ("reasoning_content", "reasoning", "thinking")
_LONGEST_LIST_AS_TEXT = 4_000_000
"""Characters of a list that a cell holds as text."""

Turn: TypeAlias = Mapping[str, object]


class RowError(ValueError):
    """A row that cannot be used; the reader of the file or dataset says where it stands."""


def turns_in(value: object, column: str) -> Sequence[object] | None:
    """The turns of a value: a list, or a text that holds one, as a cell of a CSV file does.

    Args:
        value: A column's.
        column: Its name, for messages.

    Returns:
        The turns; None where the value is a text that is meant as text.

    Raises:
        RowError: It is neither.
    """
    if isinstance(value, str):
        return _turns_as_text(value, column)
    if not isinstance(value, Sequence) or isinstance(value, bytes) or not value:
        raise RowError(f"expected a text or a list of messages in {column!r}, got {kind(value)}")
    return value


def message_of(turn: object, column: str) -> Message:
    """One turn, with `role` and `content` or with `from` and `value`; content may come in parts.

    Raises:
        RowError: It is no turn, or holds more than text.
    """
    if not isinstance(turn, Mapping):
        raise RowError(f"expected turns with role and content in {column!r}, got {kind(turn)}")
    role = turn.get("role", turn.get("from"))
    if not isinstance(role, str) or role.casefold() not in ROLES:
        raise RowError(
            f"expected turns with role (system, user, assistant) and content in {column!r}, got role {role!r:.40}"
        )
    text, _ = said_in(turn, column)
    # without it nobody could tell what a tool returned from what the user says
    return Message(ROLES[role.casefold()], f"Tool result:\n{text}" if role.casefold() in _TOOLS else text)


def said_in(turn: Turn, column: str) -> tuple[str, str | None]:
    """What a turn says and thinks.

    Returns:
        Its text, with the calls of tools that it makes; its thinking, where this stands apart.

    Raises:
        RowError: It holds something else than text.
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
    """Texts and thoughts of a text, or of a list of parts; parquet fills the fields that a part lacks with null."""
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
    """A tool's call as text: what the model did in place of speaking."""
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
    """The list of turns that a text holds as JSON, or as pandas writes it; None where it is a text as others."""
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
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def _is_turn(value: object) -> bool:
    return (
        isinstance(value, Mapping) and ("role" in value or "from" in value) and ("content" in value or "value" in value)
    )


def kind(value: object) -> str:
    """A value's type in JSON's words."""
    if value is None or value == []:
        return "null" if value is None else "an empty list"
    names = {dict: "an object", list: "a list", str: "a text", bool: "a boolean", int: "a number", float: "a number"}
    return names.get(cast(type, type(value)), type(value).__name__)
