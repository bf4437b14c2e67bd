"""Converts parsed JSON to dataclasses and checks every value, since a report may be damaged or come from a stranger.

The checks are derived from the dataclasses' type annotations, so that each field is declared only once.
"""

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, Literal, TypeAlias, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from diffing.report.parquet import scalar_from_json
from diffing.types import Scalar, Stage

T = TypeVar("T")
_Reader: TypeAlias = Callable[[object], Any]
_INT64 = range(-(2**63), 2**63)
_EXACT_AS_FLOAT = range(-(2**53), 2**53 + 1)
_NAMES = {str: "text", int: "a whole number", float: "a number", bool: "true or false", types.NoneType: "null"}


def read(kind: Any, value: object) -> Any:  # noqa: ANN401 - a value of the kind
    """Converts a value from JSON to a type.

    Args:
        kind: A dataclass, a scalar type, or a tuple, mapping, union or literal of these.
        value: The parsed JSON value.

    Raises:
        ValueError: The value is not of this type; the message names the place.
    """
    return _reader(kind)(value)


@cache
def _reader(kind: Any) -> _Reader:  # noqa: ANN401 - any annotation
    origin, arguments = get_origin(kind), get_args(kind)
    if kind == Scalar:
        return _scalar_of
    if kind is Stage:
        return lambda value: Stage(_scalar(str)(value))
    if is_dataclass(kind):
        return _object(cast(type, kind))
    if origin is Literal:
        return _one_of(arguments)
    if origin in (Union, types.UnionType):
        return _union(arguments)
    if origin is tuple:
        return _list(arguments)
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(_reader(arguments[1]))
    return _scalar(kind)


def _object(kind: type) -> _Reader:
    hints = get_type_hints(kind)
    own = fields(cast(Any, kind))
    readers = {field.name: _reader(hints[field.name]) for field in own}
    needed = [field.name for field in own if field.default is MISSING and field.default_factory is MISSING]

    def make(value: object) -> object:
        given = _checked(value, dict, "an object")
        for name in needed:
            if name not in given:
                raise ValueError(f"{name} is missing")
        if strange := given.keys() - readers.keys():
            raise ValueError(f"{min(strange)!r:.60} is not known")
        return kind(**{name: _within(name, readers[name], each) for name, each in given.items()})

    return make


def _list(arguments: tuple[Any, ...]) -> _Reader:
    """Makes a reader of lists: of any length for `tuple[T, ...]`, otherwise with one element per type argument."""
    any_length = arguments[-1:] == (Ellipsis,)
    readers = [_reader(each) for each in arguments if each is not Ellipsis]

    def make(value: object) -> tuple[Any, ...]:
        given = _checked(value, list, "a list")
        if not any_length and len(given) != len(readers):
            raise ValueError(f"expected {len(readers)} values, got {len(given)}")
        own = readers * len(given) if any_length else readers
        return tuple(_within(str(place), read, each) for place, (read, each) in enumerate(zip(own, given, strict=True)))

    return make


def _mapping(reader: _Reader) -> _Reader:
    def make(value: object) -> dict[str, Any]:
        return {key: _within(key, reader, each) for key, each in _checked(value, dict, "an object").items()}

    return make


def _union(arguments: tuple[Any, ...]) -> _Reader:
    """Makes a reader that returns the value as the first member of the union that accepts it."""
    readers = [_reader(each) for each in arguments]

    def make(value: object) -> object:
        for reader in readers[:-1]:
            try:
                return reader(value)
            except ValueError:
                continue
        return readers[-1](value)

    return make


def _one_of(choices: tuple[object, ...]) -> _Reader:
    def make(value: object) -> object:
        if not isinstance(value, str) or value not in choices:
            raise ValueError(f"expected one of {', '.join(map(str, choices))}, got {_described(value)}")
        return value

    return make


def _scalar(kind: type) -> _Reader:
    def make(value: object) -> object:
        given = _scalar_of(value, _NAMES[kind])
        # larger integers overflow in numpy or lose digits as floats
        whole = type(given) is int and given in (_EXACT_AS_FLOAT if kind is float else _INT64)
        fits = whole if type(given) is int and kind in (int, float) else type(given) is kind
        if not fits:
            raise ValueError(f"expected {_NAMES[kind]}, got {_described(value)}")
        return given

    return make


def _scalar_of(value: object, name: str = "text or a number") -> object:
    try:
        return scalar_from_json(value)
    except (TypeError, KeyError):
        raise ValueError(f"expected {name}, got {_described(value)}") from None


def _within(name: str, reader: _Reader, value: object) -> Any:  # noqa: ANN401 - of the reader's type
    try:
        return reader(value)
    except ValueError as error:
        raise ValueError(f"{name:.60}: {error}") from None


def _checked(value: object, kind: type[T], name: str) -> T:
    if not isinstance(value, kind):
        raise ValueError(f"expected {name}, got {_described(value)}")
    return value


def _described(value: object) -> str:
    if isinstance(value, dict | list):  # may be too large or too deep to print
        return "an object" if isinstance(value, dict) else "a list"
    return f"{value!r:.60}"
