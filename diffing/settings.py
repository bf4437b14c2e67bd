"""What is known of a setting beside its value: its help, bounds and choices, how a page calls it, its flag.

Written once, at the field of a dataclass; the command line, the page, JSON and Python read it from here.
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
    """How a setting is offered; written into the `Annotated` type of its field."""

    group: str
    """The heading under which help lists it."""
    title: str = ""
    """What the page calls it; empty if the page has no field for it."""
    may_be_file: bool = False
    """Whether it can name a file or a folder."""
    several_lines: bool = False
    """Whether its text may have several lines."""
    served: bool = False
    """Whether it names an LLM that the page asks by Inference Providers."""
    most_on_page: float = inf
    """The largest number that the page takes."""


@dataclass(frozen=True, slots=True)
class Described:
    """All that is known of one setting."""

    name: str
    """The field's name."""
    kind: type
    """`int`, `float`, `bool` or `str`: of the value, or of each of several."""
    several: bool
    """Whether it may be given several times."""
    required: bool
    """Whether it has no default."""
    default: Any
    """The default; None if there is none."""
    help: str
    """The text under the field, in one line."""
    setting: Setting
    """How it is offered."""
    low: float
    """The smallest number."""
    high: float
    """The largest number."""
    choices: tuple[str, ...]
    """The values that it can have; empty if there are more than can be listed."""

    @property
    def flag(self) -> str:
        """How it is spelt on the command line."""
        return self.name if self.required else flag(self.name)

    @property
    def expected(self) -> str:
        """What it takes, in words."""
        if self.choices:
            return " or ".join(self.choices)
        if self.low == -inf and self.high == inf:
            return f"a list of {self.kind.__name__}" if self.several else _KINDS[self.kind]
        return f"at least {self.low:g}" if self.high == inf else f"{self.low:g} to {self.high:g}"


@validated(frozen=True, config=ConfigDict(extra="forbid", defer_build=True))
class Settings:
    """A group of settings, checked when it is made. Subclasses are dataclasses made by `validated(frozen=True)`."""

    @model_validator(mode="wrap")
    @classmethod
    def _in_one_line(cls, values: Any, handler: Any) -> Self:  # noqa: ANN401  of any type until it is checked
        """Checks all values.

        Raises:
            SettingError: One of them cannot be used.
        """
        try:
            return typing.cast(Self, handler(values))
        except ValidationError as error:
            raise _refused(cls, error) from None

    def of(self, kind: type[T]) -> T:
        """The same settings, seen as those of one method.

        Raises:
            TypeError: They hold no such settings.
        """
        if not isinstance(self, kind):
            raise TypeError(f"expected settings with those of {kind.__name__}, got {type(self).__name__}")
        return self


def flag(name: str) -> str:
    """How a setting is spelt on the command line.

    Args:
        name: The name of its field.
    """
    return f"--{name.replace('_', '-')}"


def described(cls: type) -> dict[str, Described]:
    """The settings of a dataclass by name, in their order.

    Args:
        cls: A dataclass whose fields are `Annotated` with a `Setting`.
    """
    return _described(cls)


@cache
def _described(cls: type) -> dict[str, Described]:
    hints, docs = typing.get_type_hints(cls, include_extras=True), _docs(cls)
    found = {}
    for field in fields(cls):
        annotation, *notes = (*typing.get_args(hints[field.name]),)
        kind, several, choices = _kind(annotation)
        found[field.name] = Described(
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
    """The type of one value, whether there can be several, and the values that it can have."""
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
    """The text that stands under each field, of the class and of those that it is made of."""
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
    """The first of the values that cannot be used, in one line."""
    first = error.errors(include_url=False, include_context=False)[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    if first["type"] == "missing":
        return SettingError(f"The setting {name} is missing: give it")
    if name not in described(cls):
        return SettingError(f"There is no setting {name!r:.60}: expected names as of `diffing run`, with underscores")
    one, value = described(cls)[name], first["input"]
    shown = f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else f"{value!r:.60}"
    wrong_type = not first["type"].startswith(("greater", "less", "literal"))
    return SettingError(f"{one.flag} is {shown}: expected {_KINDS[one.kind] if wrong_type else one.expected}")
