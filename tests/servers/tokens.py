"""Servers that count tokens, and one with a context window: a token is four characters."""

from math import ceil
from typing import Any

from starlette.responses import JSONResponse

from tests.servers.openai_server import Answer, Json, chat_body


def read_tokens(request: Json) -> int:
    """The number of tokens in the messages of a request."""
    return ceil(sum(len(message["content"]) for message in request["messages"]) / 4)


def counting(answer: Any) -> Answer:
    """The same answers, with the numbers of tokens that were read and written."""

    def counted(request: Json) -> Json:
        text = answer(request)
        return chat_body(text) | {
            "usage": {"prompt_tokens": read_tokens(request), "completion_tokens": ceil(len(text) / 4)}
        }

    return counted


class SmallContext:
    """Rejects requests whose messages and longest reply exceed the context window, as vLLM does."""

    def __init__(self, answer: Any, context: int = 8192) -> None:
        self._answer = answer
        self._context = context
        self.rejected: list[Json] = []
        """The requests that were rejected."""

    def __call__(self, request: Json) -> str | JSONResponse:
        """The answer, or the rejection."""
        read, reply = read_tokens(request), request["max_tokens"]
        if read + reply <= self._context:
            return str(self._answer(request))
        self.rejected.append(request)
        message = (
            f"This model's maximum context length is {self._context} tokens. However, you requested {read + reply} "
            f"tokens ({read} in the messages, {reply} in the completion). Please reduce the length of the messages or "
            "completion."
        )
        return JSONResponse({"error": {"message": message, "type": "BadRequestError", "code": 400}}, 400)
