"""Metadata of settings (help text, bounds, choices, title, flag), read from the fields of a settings dataclass.

The metadata is written once, at the field; the command line, the page, JSON and Python all read it from here.
"""

import ast
import inspect
import textwrap
import types
import typing
from dataclasses import MISSING, dataclass, fields
from functools import cache
from math import inf
from typing import Any, Literal, Self, TypeVar

from pydantic import ConfigDict, ValidationError, model_validator
from pydantic.dataclasses import dataclass as validated

from diffing.errors import SettingError

T = TypeVar("T")
_KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}


@dataclass(frozen=True, slots=True)
class Setting:
    """How a setting is presented; written into the `Annotated` type of its field."""

    group: str
    """The heading under which the help lists the setting."""
    title: str = ""
    """The title of the setting's field on the page; empty if the page has no field for it."""
    may_be_file: bool = False
    """Whether the value can be the name of a file or a folder."""
    several_lines: bool = False
    """Whether the value may have several lines of text."""
    served: bool = False
    """Whether the value is an LLM that the page calls through Inference Providers."""
    most_on_page: float = inf
    """The largest number that the page accepts."""


@dataclass(frozen=True, slots=True)
class SettingInfo:
    """All metadata of one setting."""

    name: str
    """The name of the field."""
    kind: type
    """`int`, `float`, `bool` or `str`: the type of the value, or of each value if there may be several."""
    several: bool
    """Whether the setting may be given several times."""
    required: bool
    """Whether the setting has no default."""
    default: Any
    """The default; None if there is none."""
    help: str
    """The docstring of the field, in one line."""
    setting: Setting
    """How the setting is presented."""
    low: float
    """The smallest allowed number."""
    high: float
    """The largest allowed number."""
    choices: tuple[str, ...]
    """The allowed values; empty if they cannot be listed."""

    @property
    def flag(self) -> str:
        """The name of the flag on the command line, or of the argument if the setting is required."""
        return self.name if self.required else flag(self.name)

    @property
    def expected(self) -> str:
        """The allowed values in words, for error messages."""
        if self.choices:
            return " or ".join(self.choices)
        if self.low == -inf and self.high == inf:
            return f"a list of {self.kind.__name__}" if self.several else _KINDS[self.kind]
        return f"at least {self.low:g}" if self.high == inf else f"{self.low:g} to {self.high:g}"


@validated(frozen=True, config=ConfigDict(extra="forbid", defer_build=True))
class Settings:
    """Base class of settings; values are validated on creation. Subclasses are decorated `@validated(frozen=True)`."""

    @model_validator(mode="wrap")
    @classmethod
    def _in_one_line(cls, values: Any, handler: Any) -> Self:  # noqa: ANN401  of any type until it is checked
        """Validates all values.

        Raises:
            SettingError: A value is not allowed.
        """
        try:
            return typing.cast(Self, handler(values))
        except ValidationError as error:
            raise _refused(cls, error) from None

    def of(self, kind: type[T]) -> T:
        """The same object, typed as the settings of one method.

        Raises:
            TypeError: It does not include the settings of that method.
        """
        if not isinstance(self, kind):
            raise TypeError(f"expected settings with those of {kind.__name__}, got {type(self).__name__}")
        return self


def flag(name: str) -> str:
    """The flag of a setting on the command line.

    Args:
        name: The name of the setting's field.
    """
    return f"--{name.replace('_', '-')}"


def described(cls: type) -> dict[str, SettingInfo]:
    """The metadata of all settings of a dataclass, by name and in the order of the fields.

    Args:
        cls: A dataclass whose fields are `Annotated` with a `Setting`.
    """
    return _described(cls)


@cache
def _described(cls: type) -> dict[str, SettingInfo]:
    hints, docs = typing.get_type_hints(cls, include_extras=True), _docs(cls)
    found = {}
    for field in fields(cls):
        annotation, *notes = (*typing.get_args(hints[field.name]),)
        kind, several, choices = _kind(annotation)
        if typing.get_origin(kind) is typing.Annotated:  # each of several values has bounds
            kind, *bounds = typing.get_args(kind)
            notes += bounds
        found[field.name] = SettingInfo(
            name=field.name,
            kind=kind,
            several=several,
            required=field.default is MISSING,
            default=None if field.default is MISSING else field.default,
            help=docs[field.name],
            setting=next(note for note in notes if isinstance(note, Setting)),
            low=_bound(notes, "ge", -inf),
            high=_bound(notes, "le", inf),
            choices=choices,
        )
    return found


def _kind(annotation: Any) -> tuple[type, bool, tuple[str, ...]]:  # noqa: ANN401  a type, or what stands for one
    """The type of one value, whether there may be several values, and the allowed values."""
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        annotation = next(kind for kind in typing.get_args(annotation) if kind is not type(None))
    if typing.get_origin(annotation) is Literal:
        return str, False, typing.get_args(annotation)
    if typing.get_origin(annotation) is tuple:
        return typing.get_args(annotation)[0], True, ()
    return annotation, False, ()


def _bound(notes: list[Any], name: str, default: float) -> float:
    metadata = [each for note in notes for each in (note, *getattr(note, "metadata", ()))]
    return next((value for note in metadata if (value := getattr(note, name, None)) is not None), default)


def _docs(cls: type) -> dict[str, str]:
    """The docstring under each field of a class and of its base classes."""
    docs: dict[str, str] = {}
    for each in (base for base in reversed(cls.__mro__) if "__annotations__" in vars(base)):
        (definition,) = ast.parse(textwrap.dedent(inspect.getsource(each))).body
        assert isinstance(definition, ast.ClassDef)
        for statement, following in zip(definition.body, definition.body[1:], strict=False):
            match statement, following:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    docs[name] = " ".join(text.split())
    return docs


def _refused(cls: type, error: ValidationError) -> SettingError:
    """The error message for the first value that is not allowed, in one line."""
    first = error.errors(include_url=False, include_context=False)[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    if first["type"] == "missing":
        return SettingError(f"The setting {name} is missing: give it")
    if name not in described(cls):
        return SettingError(f"There is no setting {name!r:.60}: expected names as in `diffing run`, with underscores")
    one, value = described(cls)[name], first["input"]
    shown = f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else f"{value!r:.60}"
    if one.several and len(first["loc"]) == 1:
        return SettingError(f"{one.flag} is {shown}: expected a list, each {_KINDS[one.kind]}")
    wrong_type = not first["type"].startswith(("greater", "less", "literal"))
    return SettingError(f"{one.flag} is {shown}: expected {_KINDS[one.kind] if wrong_type else one.expected}")
