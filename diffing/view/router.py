"""The questions that the page's scripts ask, and who answers them. Anybody can send anything: nothing is believed.

Each part of the page has one `Router`. A question is an object of JSON with the name of its kind, `about`; its fields
are read by a `Question`. Fields of the lenient types below count as not given if they hold something else, so that an
old script in somebody's browser still gets an answer; in a field of another type that is an error of one line.
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

Answer: TypeAlias = dict[str, Any]
"""As the script gets it, in JSON; `problem`, one line, if there is no other."""
Context = TypeVar("Context")
Route: TypeAlias = tuple[type["Question"], Callable[[Any, Context], Answer]]
"""What a question of this kind holds, and what answers it."""
Q = TypeVar("Q", bound="Question")
V = TypeVar("V")

_LONGEST = 400
"""Characters of a text that are read."""
_LARGEST = 10**9


class Question(BaseModel):
    """What a script asks; fields that are not known are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class _Kind(Question):
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
"""A text, cut; empty if it is none."""
Number: TypeAlias = Annotated[int | None, BeforeValidator(_number)]
"""A whole number from 0 on, also as digits; None if it is none."""
Ticked: TypeAlias = Annotated[bool, BeforeValidator(lambda value: value is True or value == "on")]
"""Whether a box is ticked."""
Lenient: TypeAlias = Annotated[V | None, WrapValidator(_given)]
"""A value of this type; None if it is none."""


class Router(Generic[Context]):
    """Answers the questions of one part of the page; threads may share it."""

    def __init__(self, subject: str, routes: Mapping[str, Route[Context]]) -> None:
        """Makes it.

        Args:
            subject: What the questions are about, in words.
            routes: By the name of the kind of question; the one named "" answers questions of every other kind.
        """
        self._subject = subject
        self._routes = routes

    def answer(
        self,
        asked: object,
        context: Callable[[Any], Context],
        *,
        said: Callable[[DiffingError], str] = str,
    ) -> Answer:
        """Answers one question.

        Args:
            asked: As the browser sent it.
            context: Makes of the raw question what its handler gets beside it: who asks, or the result that is meant.
            said: How an error is told to who asks.
        """
        try:
            kind = self.read(_Kind, asked)
            given = context(asked)
            route = self._routes.get(kind.about) or self._routes.get("")
            if route is None:
                raise SettingError(f"Expected a question about {self._subject}: reload the page")
            question, handler = route
            return handler(self.read(question, asked), given)
        except DiffingError as error:
            return {"problem": visible(said(error))}

    def read(self, question: type[Q], asked: object) -> Q:
        """Reads a question.

        Raises:
            SettingError: It is not as the page sends it.
        """
        try:
            return question.model_validate(asked)
        except ValidationError:
            raise SettingError(
                f"Expected a question about {self._subject}, got something else: reload the page"
            ) from None
