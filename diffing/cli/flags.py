"""Flags of the CLI made from dataclasses: field = flag, default = default, text under the field = help.

So that a setting is written once. Knows no command.
"""

import ast
import inspect
import textwrap
import types
import typing
from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from typing import Annotated, Any, TypeVar

import typer
from rich.markup import escape

from diffing.config import GROUPS


def field_docs(cls: type) -> dict[str, str]:
    """The text that stands under each field of a dataclass, in one line."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(definition, ast.ClassDef)
    docs: dict[str, str] = {}
    for statement, following in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            match following:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    docs[statement.target.id] = " ".join(text.split())
    return docs


def _parameter(field: "Field[Any]", annotation: Any, help_text: str) -> inspect.Parameter:
    """One argument (no default) or option of a command."""
    kind = inspect.Parameter.KEYWORD_ONLY
    if field.default is MISSING:
        argument = Annotated[str, typer.Argument(help=help_text, show_default=False)]
        return inspect.Parameter(field.name, kind, annotation=argument)
    default = field.default
    if typing.get_origin(annotation) is tuple:
        annotation, default = list[str], list(default)
    elif isinstance(annotation, types.UnionType):
        annotation = next(kind for kind in typing.get_args(annotation) if kind is not type(None)) | None
    name = f"--{field.name.replace('_', '-')}"
    hidden = default is None or default is False or default == []
    option = typer.Option(name, help=help_text, show_default=not hidden, rich_help_panel=_group(field.name))
    return inspect.Parameter(field.name, kind, annotation=Annotated[annotation, option], default=default)


def _group(name: str) -> str:
    return next(group for group, names in GROUPS.items() if name in names)


def parameters(cls: type) -> list[inspect.Parameter]:
    """The arguments and options that stand for a dataclass."""
    hints, docs = typing.get_type_hints(cls), field_docs(cls)
    return [_parameter(field, hints[field.name], escape(docs[field.name])) for field in fields(cls)]


T = TypeVar("T")


def build(cls: Callable[..., T], values: dict[str, Any], **fixed: Any) -> T:
    """The dataclass from the values of its flags, taken out of `values`, and from those that no flag sets."""
    names = [field.name for field in fields(typing.cast(Any, cls)) if field.name not in fixed]
    taken = {name: values.pop(name) for name in names if name in values} | fixed
    return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in taken.items()})


def with_flags(
    *classes: type, without: typing.Collection[str] = ()
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a command `f(**values)` the flags of the dataclasses, before its own keyword-only parameters.

    Args:
        classes: The dataclasses.
        without: Fields that this command has no flag for.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = [p for p in inspect.signature(command).parameters.values() if p.kind is p.KEYWORD_ONLY]
        flags = [parameter for cls in classes for parameter in parameters(cls) if parameter.name not in without]
        signature = flags + own
        command.__signature__ = inspect.Signature(signature)  # type: ignore[attr-defined]
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in signature}
        return command

    return decorate
