"""JSON from outside, read within bounds: what comes out can be walked, compared and written by any code.

No whole number is larger than 64 bits, and NaN and Infinity, which JSON does not have, are null.
"""

import json

DEEPEST = 64
"""Lists and objects within each other; an answer or a reply needs ten."""
_MOST_OF_64_BITS = 18
"""Digits; a longer number is a float, as in other languages."""
_MOST_DIGITS = 300
"""Of a number that a float can hold."""


class UnreadableJsonError(ValueError):
    """Not JSON, or none that we read; the message says why in a few words."""


def read_json(text: str) -> object:
    """The value of a JSON text.

    Raises:
        UnreadableJsonError: It is not JSON, is nested too deeply or has a number that is none.
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
    """Refuses what code that calls itself could not walk.

    Args:
        value: What a JSON parser made.

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
    """What NaN and Infinity are: Python writes them, JSON does not have them."""


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs) and any(found[key] != value for key, value in pairs):
        raise UnreadableJsonError("JSON with two values under one name")
    return found


DECODER = json.JSONDecoder(parse_int=_whole, parse_constant=_nothing, object_pairs_hook=_once)
"""Reads numbers as said above, and no name twice with two values."""
