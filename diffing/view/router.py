"""Validates the JSON requests that the page's scripts send, and passes each to its handler.

Each part of the page has one `Router`. The `about` field of a question names its kind, and a subclass of `PageQuestion`
defines its other fields. A client can send anything. Fields of the lenient types below count as missing if they hold a
value of another type, so that an outdated script in somebody's browser still gets an answer; in any other field this is
an error of one line.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Generic, TypeAlias, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from diffing.errors import DiffingError, SettingError
from diffing.outputs.html import visible

Reply: TypeAlias = dict[str, Any]
"""What a script receives as JSON. If the question failed, it holds `problem`, an error message of one line."""
Context = TypeVar("Context")
Route: TypeAlias = tuple[type["PageQuestion"], Callable[[Any, Context], Reply]]
"""The model that validates a kind of question, and the handler that answers it."""
Q = TypeVar("Q", bound="PageQuestion")
V = TypeVar("V")

_LONGEST = 400
"""Maximum number of characters of a text; the rest is cut off."""
_LARGEST = 10**9


class PageQuestion(BaseModel):
    """A question from a script. Unknown fields are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class _Kind(PageQuestion):
    about: "Text" = ""


def _text(value: object, read: ValidatorFunctionWrapHandler) -> str:
    return str(_given(value[:_LONGEST] if isinstance(value, str) else "", read) or "")


def _number(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 10:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LARGEST else None


def _given(value: object, read: ValidatorFunctionWrapHandler) -> object:
    try:
        return read(value)
    except ValidationError:
        return None


Text: TypeAlias = Annotated[str, WrapValidator(_text)]
"""A text, cut at the maximum length; empty if the value is not a text."""
Number: TypeAlias = Annotated[int | None, BeforeValidator(_number)]
"""A whole number that is not negative, also accepted as digits; None if the value is anything else."""
Ticked: TypeAlias = Annotated[bool, BeforeValidator(lambda value: value is True or value == "on")]
"""Whether a checkbox is ticked."""
Lenient: TypeAlias = Annotated[V | None, WrapValidator(_given)]
"""A value of the given type; None if the value has another type."""


class Router(Generic[Context]):
    """Answers the questions of one part of the page. It is thread-safe."""

    def __init__(self, subject: str, routes: Mapping[str, Route[Context]]) -> None:
        """Registers the handlers.

        Args:
            subject: The subject of the questions, for error messages.
            routes: The routes by the kind of question. The one named "" answers every kind that has no route of its
                own.
        """
        self._subject = subject
        self._routes = routes

    def answer(
        self,
        raw: object,
        context: Callable[[Any], Context],
        *,
        to_text: Callable[[DiffingError], str] = str,
    ) -> Reply:
        """Answers one question; a `DiffingError` becomes a reply with a problem.

        Args:
            raw: The question as the browser sent it.
            context: Computes from the raw question the handler's second argument, such as the visitor or the result in
                question.
            to_text: Words an error for the visitor.
        """
        try:
            kind = self.read(_Kind, raw)
            given = context(raw)
            route = self._routes.get(kind.about) or self._routes.get("")
            if route is None:
                raise SettingError(f"Expected a question about {self._subject}: reload the page")
            question, handler = route
            return handler(self.read(question, raw), given)
        except DiffingError as error:
            return {"problem": visible(to_text(error))}

    def read(self, question: type[Q], raw: object) -> Q:
        """Validates a question.

        Raises:
            SettingError: The question does not have the form that the page sends.
        """
        try:
            return question.model_validate(raw)
        except ValidationError:
            raise SettingError(
                f"Expected a question about {self._subject}, got something else: reload the page"
            ) from None
