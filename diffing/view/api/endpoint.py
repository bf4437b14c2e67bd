"""Wraps a function as a Gradio endpoint: validates parameters, words errors in one line, and identifies the caller."""

import inspect
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_type_hints

from diffing.errors import DiffingError, SettingError
from diffing.view.page_query import PageAddress
from diffing.view.site import Site, address_of
from diffing.view.visitor import Visitor

if TYPE_CHECKING:
    import gradio

_FLAG = re.compile(r"--([a-z]+(?:-[a-z]+)*)")
_ARGS, _RETURNS = "\nArgs:\n", "\nReturns:\n"


@dataclass(frozen=True, slots=True)
class ApiCall:
    """The context of one call."""

    site: Site
    """The state that all visitors share."""
    visitor: Visitor
    """The caller."""
    base: str
    """The start of links to the page."""

    def link(self, address: PageAddress) -> str:
        """The link to a place of the page.

        Args:
            address: The address of the place.
        """
        return f"{self.base}?{address.query}"


def endpoint(
    site: Site, function: Callable[..., Any], parse_request: Callable[..., Any] | None = None
) -> Callable[..., Any]:
    """Wraps a function for Gradio. Its arguments are validated, because a client may send anything.

    Args:
        site: The state that all visitors share.
        function: A function whose first parameter is an `ApiCall`. Its docstring becomes the endpoint's documentation.
        parse_request: If given, the endpoint has this function's parameters, and `function` receives its result.
    """
    import gradio as gr

    class OneLine(gr.Error):
        """A Gradio error whose text has no quotes: tools show the text of the exception."""

        def __str__(self) -> str:
            return str(self.message)

    source = parse_request or function
    hints = get_type_hints(source)
    given = {name: each for name, each in inspect.signature(source).parameters.items() if hints[name] is not ApiCall}

    def public(*values: Any) -> Any:  # noqa: ANN401  whatever programs send
        *theirs, request, token, header = values
        try:
            checked = {
                name: _checked(each, hints[name], value)
                for (name, each), value in zip(given.items(), theirs, strict=True)
            }
            acts_with = (token.token if token else header) or None
            visitor = Visitor(acts_with, site.settings.rules, address_of(request))
            call = ApiCall(site, visitor, _base(request))
            return function(call, parse_request(**checked)) if parse_request else function(call, **checked)
        except DiffingError as error:
            raise OneLine(
                _FLAG.sub(lambda flag: flag[1].replace("-", "_"), str(error)), print_exception=False
            ) from None

    public.__name__ = public.__qualname__ = function.__name__
    public.__doc__ = _documented(function, source)
    _sign(public, [each.replace(annotation=hints[name]) for name, each in given.items()], function)
    return public


def _sign(public: Callable[..., Any], given: Sequence[inspect.Parameter], function: Callable[..., Any]) -> None:
    """Gives an endpoint the signature that Gradio reads: its parameters, then what Gradio knows of the caller."""
    import gradio as gr

    callers: dict[str, Any] = {
        "request": gr.Request, "token": gr.OAuthToken | None, "x_hf_token": gr.Header | None,
    }  # fmt: skip
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [each.replace(kind=kind) for each in given]
    # a header must come last, otherwise Gradio puts it in place of a parameter
    parameters += [inspect.Parameter(name, kind, annotation=hint, default=None) for name, hint in callers.items()]
    returned = get_type_hints(function)["return"]
    public.__signature__ = inspect.Signature(parameters, return_annotation=returned)  # type: ignore[attr-defined]
    public.__annotations__ = {each.name: each.annotation for each in parameters} | {"return": returned}


def _checked(parameter: inspect.Parameter, hint: Any, value: object) -> Any:  # noqa: ANN401  of the hint's type
    """Validates a value against a type hint; a missing value becomes the default."""
    from pydantic import TypeAdapter, ValidationError

    if value is None and parameter.default is not parameter.empty:
        return parameter.default
    try:
        return TypeAdapter(hint).validate_python(value)
    except ValidationError as error:
        reason = error.errors(include_url=False, include_input=False)[0]["msg"]
        raise SettingError(f"{parameter.name}: {reason[:1].lower()}{reason[1:]}. Correct it") from None


def _base(request: "gradio.Request") -> str:
    """The page's own address. On a Space the page is a frame within the Hub's page."""
    if space := os.environ.get("SPACE_ID"):
        return f"https://huggingface.co/spaces/{space}"
    headers: Mapping[str, str] = request.headers
    scheme = headers.get("x-forwarded-proto", "http").partition(",")[0]
    return f"{scheme}://{headers.get('host', 'localhost')}/"


def _documented(function: Callable[..., Any], source: Callable[..., Any]) -> str:
    """The endpoint's documentation: its description, the parameters that clients give, and the return value.

    Gradio reads only one line per parameter, so wrapped lines are joined.
    """
    own, of_source = inspect.getdoc(function) or "", inspect.getdoc(source) or ""
    described = own.partition(_ARGS)[0].partition(_RETURNS)[0].strip()
    arguments = of_source.partition(_ARGS)[2].partition("\n\n")[0]
    returned = own.partition(_RETURNS)[2].partition("\n\n")[0]
    lines = (re.sub(r"\n\s{8,}", " ", part) for part in (arguments, returned))
    return "".join(
        (described, *(f"\n{head}{part}" for head, part in zip((_ARGS, _RETURNS), lines, strict=True) if part))
    )
