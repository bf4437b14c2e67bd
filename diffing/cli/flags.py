"""Makes command-line flags from dataclasses of settings, so that each setting is defined only once."""

import inspect
import typing
from collections.abc import Callable
from dataclasses import fields
from typing import Annotated, Any, TypeVar

import typer
from rich.markup import escape

from diffing.settings import SettingInfo, described


def _parameter(each: SettingInfo) -> inspect.Parameter:
    """Returns the argument (for a required setting) or option of a command that stands for a setting."""
    kind, help_text = inspect.Parameter.KEYWORD_ONLY, escape(each.help)
    if each.required:
        argument = Annotated[str, typer.Argument(help=help_text, show_default=False)]
        return inspect.Parameter(each.name, kind, annotation=argument)
    default = list(each.default) if each.several else each.default
    # only the type is checked here; all other checks are the same for every source of settings
    annotation = list[each.kind] if each.several else each.kind | None if default is None else each.kind  # type: ignore[name-defined]
    hidden = default is None or default is False or default == []
    option = typer.Option(each.flag, help=help_text, show_default=not hidden, rich_help_panel=each.setting.group)
    return inspect.Parameter(each.name, kind, annotation=Annotated[annotation, option], default=default)


def parameters(cls: type) -> list[inspect.Parameter]:
    """Returns the arguments and options for a dataclass of settings."""
    return [_parameter(each) for each in described(cls).values()]


T = TypeVar("T")


def build(cls: Callable[..., T], values: dict[str, Any], **fixed: Any) -> T:
    """Builds a dataclass of settings from the values of its flags, which it removes from `values`.

    Args:
        cls: The dataclass.
        values: Values of flags by field name.
        fixed: Values of fields that have no flag.
    """
    names = [field.name for field in fields(typing.cast(Any, cls)) if field.name not in fixed]
    taken = {name: values.pop(name) for name in names if name in values} | fixed
    return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in taken.items()})


def with_flags(
    *classes: type, without: typing.Collection[str] = ()
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a command `f(**values)` the flags of the dataclasses, before its own keyword-only parameters.

    Args:
        classes: The dataclasses.
        without: Fields for which this command has no flag.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = [p for p in inspect.signature(command).parameters.values() if p.kind is p.KEYWORD_ONLY]
        flags = [parameter for cls in classes for parameter in parameters(cls) if parameter.name not in without]
        signature = flags + own
        command.__signature__ = inspect.Signature(signature)  # type: ignore[attr-defined]
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in signature}
        return command

    return decorate
