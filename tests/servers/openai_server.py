"""A chat-completions server on loopback that speaks real HTTP: a function answers, faults are planted per request.

    with OpenAIServer(lambda request: request["messages"][-1]["content"].upper()) as server:
        server.fail_next(Status(429, headers={"Retry-After": "1"}), Hang(5.0), NullContent())
        model = OpenAIModel("any", server.base_url)

It answers every POST, whatever the path, so it also stands in for the router of Inference Providers. It knows no model
of ours.
"""

import asyncio
import json
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self, TypeAlias

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from tests.servers.serving import Serving

Json: TypeAlias = dict[str, Any]
Answer: TypeAlias = Callable[[Json], "str | Json | Response"]
"""The request's JSON -> the text of the answer, or a whole JSON body, or a whole response. It may sleep."""


@dataclass(frozen=True)
class Status:
    """An error status; the body is an OpenAI-style error with `message`, unless `body` is given."""

    code: int
    message: str = "planted fault"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: object = None


@dataclass(frozen=True)
class Hang:
    """Nothing is answered for `seconds`; then the connection breaks."""

    seconds: float = 30.0


@dataclass(frozen=True)
class Drop:
    """The connection breaks in the middle of the answer."""


@dataclass(frozen=True)
class Reset:
    """The connection is reset before anything is answered."""


@dataclass(frozen=True)
class Trickle:
    """A good beginning, then a blank every `pause` seconds, for ever as far as anybody waits."""

    pause: float = 0.1


@dataclass(frozen=True)
class NullContent:
    """200, `content: null`."""

    finish: str = "stop"


@dataclass(frozen=True)
class Truncated:
    """200, only the first `share` of the answer's characters, `finish_reason: length`."""

    share: float = 0.5


@dataclass(frozen=True)
class Finish:
    """200, the answer with another `finish_reason`."""

    reason: str


@dataclass(frozen=True)
class Body:
    """This body instead of an answer: HTML, broken JSON, JSON of another shape, bytes of any kind."""

    text: str | bytes = "<html><body>It works!</body></html>"
    content_type: str = "text/html"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Message:
    """200 with this message instead of the answer's: no content, parts, a tool call."""

    fields: Mapping[str, object]
    finish: str = "stop"


@dataclass(frozen=True)
class Echo:
    """An answer that repeats the request's headers, as proxies and pages for developers do."""

    wrap: Callable[[dict[str, str]], "Status | Body"]
    """From the headers to what is answered."""


@dataclass(frozen=True)
class Named:
    """The answer, said to be that of another model, whose text it is."""

    model: str = "another-model"
    text: str = "I am another model."


Fault: TypeAlias = (
    Status | Hang | Drop | Reset | Trickle | NullContent | Truncated | Finish | Body | Message | Echo | Named
)


def chat_body(text: str | None, finish: str = "stop", **message: object) -> Json:
    """The JSON of a chat completion; tokens are counted as words. `message` adds fields such as `reasoning_content`."""
    words = len((text or "").split())
    return {
        "id": "chatcmpl-test",
        "object": "chat.completion",
        "created": 0,
        "choices": [
            {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text, **message}}
        ],
        "usage": {"prompt_tokens": 7, "completion_tokens": words, "total_tokens": 7 + words},
    }


async def _trickle(pause: float) -> AsyncIterator[bytes]:
    yield b'{"choices": ['
    while True:
        await asyncio.sleep(pause)
        yield b" "


class OpenAIServer:
    """The server; `with` starts and stops it. All that it saw can be read while it runs and after."""

    def __init__(
        self, answer: Answer, *, fault: Callable[[Json], Fault | None] | None = None, date_header: bool = True
    ) -> None:
        self.answer = answer
        """What is answered where no fault is due."""
        self.fault = fault
        """A fault per request, by its content; asked when no fault of `fail_next` is waiting."""
        self.requests: list[Json] = []
        """The JSON of every request, in order of arrival, faulty ones included."""
        self.headers: list[dict[str, str]] = []
        """The headers of every request."""
        self.paths: list[str] = []
        """The path of every request."""
        self.times: list[float] = []
        """`time.monotonic()` at every arrival."""
        self.answered: list[Json] = []
        """The requests that got a proper answer (no fault), in order of answering."""
        self.most_in_flight = 0
        """How many requests were being worked on at once, at most."""
        self._waiting: deque[Fault] = deque()
        self._in_flight = 0
        self._lock = threading.Lock()
        self._serving = Serving(self._app, interface="asgi3", date_header=date_header)

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return self._serving.url

    @property
    def base_url(self) -> str:
        """What a client is given: `http://127.0.0.1:PORT/v1`."""
        return f"{self.url}/v1"

    @property
    def count(self) -> int:
        """Requests that arrived."""
        return len(self.requests)

    def fail_next(self, *faults: Fault) -> None:
        """The next requests, in order of arrival, get these faults, one each."""
        with self._lock:
            self._waiting.extend(faults)

    def __enter__(self) -> Self:
        self._serving.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._serving.stop()

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        raw = await request.body()
        parsed: Json = json.loads(raw) if raw else {}
        fault = self._arrived(request, parsed)
        if isinstance(fault, Echo):
            fault = fault.wrap(dict(request.headers))
        if isinstance(fault, Reset):
            with self._lock:
                self._in_flight -= 1
            self._serving.reset(scope)
            return
        try:
            response = await self._respond(parsed, fault)
        finally:
            with self._lock:
                self._in_flight -= 1
        if response is None:  # a promised body that never comes
            headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b'{"choices": [', "more_body": True})
            return
        await response(scope, receive, send)

    def _arrived(self, request: Request, parsed: Json) -> Fault | None:
        with self._lock:
            self.times.append(time.monotonic())
            self.requests.append(parsed)
            self.headers.append(dict(request.headers))
            self.paths.append(request.url.path)
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)
            if self._waiting:
                return self._waiting.popleft()
        return self.fault(parsed) if self.fault else None

    async def _respond(self, request: Json, fault: Fault | None) -> Response | None:
        match fault:
            case Status(code, message, headers, body):
                shown = {"error": {"message": message, "type": "planted", "code": code}} if body is None else body
                return JSONResponse(shown, code, dict(headers))
            case Hang(seconds):
                await asyncio.sleep(seconds)
                return None
            case Drop():
                return None
            case Trickle(pause):
                return StreamingResponse(_trickle(pause), media_type="application/json")
            case NullContent(finish):
                return JSONResponse(chat_body(None, finish) | {"model": request.get("model")})
            case Body(text, content_type, status, headers):
                return Response(text, status, dict(headers), content_type)
            case Message(fields, finish):
                told = chat_body(None, finish) | {"model": request.get("model")}
                told["choices"][0]["message"] = dict(fields)
                return JSONResponse(told)
            case Named(model, text):
                return JSONResponse(chat_body(text) | {"model": model})
        made = await run_in_threadpool(self.answer, request)
        if isinstance(made, Response):
            return made
        body = chat_body(made) if isinstance(made, str) else made
        body.setdefault("model", request.get("model"))
        choice = body["choices"][0] if body.get("choices") else {}
        match fault:
            case Truncated(share):
                text = choice["message"]["content"]
                choice["message"]["content"] = text[: int(len(text) * share)]
                choice["finish_reason"] = "length"
            case Finish(reason):
                choice["finish_reason"] = reason
            case None:
                with self._lock:
                    self.answered.append(request)
        return JSONResponse(body)
