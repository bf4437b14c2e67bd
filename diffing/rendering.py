"""Creates the Jinja environments with which all templates of the package are rendered."""

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from jinja2 import Environment

TemplateSource: TypeAlias = Callable[[str], str | None]
"""A function that returns the text of a template by name, or None if there is no such template."""


def environment(source: TemplateSource, *, escapes: bool, **options: Any) -> "Environment":  # noqa: ANN401  of Jinja
    """Creates a Jinja environment in which an undefined name is an error.

    Args:
        source: Returns the text of a template by name.
        escapes: Whether to escape values for HTML and SVG. Templates without escaping (Markdown, plain text) make
            values harmless with filters of their own.
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


def templates_of(package: str, folder: str = "") -> TemplateSource:
    """Returns a function that reads templates from the files of a package.

    Args:
        package: The name of the package.
        folder: The folder of the templates within the package; empty for the package itself.
    """

    @cache
    def source(name: str) -> str | None:
        file = files(package).joinpath(*filter(None, (folder, name)))
        return file.read_text(encoding="utf-8") if file.is_file() else None

    return source
