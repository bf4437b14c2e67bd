"""The one place that makes environments of Jinja. Knows no template."""

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from jinja2 import Environment

Source: TypeAlias = Callable[[str], str | None]
"""A template's text by its name; None if there is none of that name."""


def environment(source: Source, *, escapes: bool, **options: Any) -> "Environment":  # noqa: ANN401  of Jinja
    """An environment in which a name without a value is an error.

    Args:
        source: Finds templates.
        escapes: Whether values become text of HTML or SVG. What is not escaped here (Markdown, plain text) goes through
            filters that keep it harmless in its place.
        options: Further options of `jinja2.Environment`.
    """
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    return Environment(
        loader=FunctionLoader(source),
        autoescape=escapes,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        **options,
    )


def templates_of(package: str, folder: str = "") -> Source:
    """Finds the templates that are files of a package.

    Args:
        package: Its name.
        folder: Where they are in it; empty for the package itself.
    """

    @cache
    def source(name: str) -> str | None:
        file = files(package).joinpath(*filter(None, (folder, name)))
        return file.read_text(encoding="utf-8") if file.is_file() else None

    return source
