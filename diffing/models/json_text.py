"""Parses untrusted JSON within limits on depth and number size, so that any code can safely process the result.

Integers beyond 64 bits become floats. NaN and Infinity, which are not valid JSON, become null.
"""

import json

DEEPEST = 64
"""Maximum nesting of lists and objects; an answer or a reply needs about ten levels."""
_MOST_OF_64_BITS = 18
"""Maximum number of digits of an integer; a longer number becomes a float, as in other languages."""
_MOST_DIGITS = 300
"""Maximum number of digits of a number that a float can represent."""


class UnreadableJsonError(ValueError):
    """Text is not JSON, or exceeds the limits; the message says why in a few words."""


def read_json(text: str) -> object:
    """Parses a JSON text.

    Raises:
        UnreadableJsonError: The text is not JSON, is nested too deeply or contains a number with too many digits.
    """
    try:
        value = DECODER.decode(text)
    except RecursionError:
        raise UnreadableJsonError("JSON nested too deeply") from None
    except json.JSONDecodeError:
        raise UnreadableJsonError("no JSON") from None
    check_depth(value)
    return value


def check_depth(value: object) -> None:
    """Refuses values that are nested too deeply for recursive code.

    Args:
        value: A value that a JSON parser returned.

    Raises:
        UnreadableJsonError: It is nested more deeply than `DEEPEST`.
    """
    level: list[object] = [value]
    for _ in range(DEEPEST + 1):
        containers = [each for each in level if isinstance(each, list | dict)]
        if not containers:
            return
        level = [item for each in containers for item in (each.values() if isinstance(each, dict) else each)]
    raise UnreadableJsonError("JSON nested too deeply")


def _whole(digits: str) -> int | float:
    if len(digits) > _MOST_DIGITS:
        raise UnreadableJsonError("no JSON that can be read: a number has too many digits")
    return int(digits) if len(digits) <= _MOST_OF_64_BITS else float(digits)


def _nothing(name: str) -> None:
    """Turns NaN and Infinity, which Python writes but JSON does not have, into None."""


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Builds an object and refuses a name with two different values."""
    entries = dict(pairs)
    if len(entries) < len(pairs) and any(entries[key] != value for key, value in pairs):
        raise UnreadableJsonError("JSON with two values under one name")
    return entries


DECODER = json.JSONDecoder(parse_int=_whole, parse_constant=_nothing, object_pairs_hook=_once)
"""A decoder with these rules for numbers, which refuses a name that has two different values."""
