"""What goes wrong on demand, and who asks too often."""

import asyncio
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send

from tests.hub.answers import rate_limited


@dataclass(frozen=True, slots=True)
class Request:
    """One request that the Hub got."""

    method: str
    path: str
    """As sent: slashes within a part are %2F."""
    user: str | None
    """None: nobody, or a token that the Hub does not know."""
    status: int | None
    """None where no answer was sent."""
    query: str = ""
    user_agent: str = ""


@dataclass
class Fault:
    method: str
    path: re.Pattern[str]
    status: int | None
    times: int
    """How often still."""
    drop_answer: bool
    delay: float
    retry_after: int | None
    body: Any
    until: threading.Event | None

    def answer(self) -> Response | None:
        """What is sent instead of doing the work; None: it is done."""
        if self.status is None:
            return None
        if self.status == 429 and self.retry_after is not None:
            return rate_limited(self.retry_after)
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        body = {"error": "as planted"} if self.body is None else self.body
        if isinstance(body, bytes):
            return Response(body, self.status, headers, "application/json")
        return JSONResponse(body, self.status, headers)


class Faults:
    def __init__(self) -> None:
        self.planted: list[Fault] = []

    def add(
        self,
        method: str = ".*",
        path: str = "",
        status: int | None = None,
        *,
        times: int = 1,
        drop_answer: bool = False,
        delay: float = 0.0,
        retry_after: int | None = None,
        body: Any = None,
        until: threading.Event | None = None,
    ) -> None:
        """Plants a fault for the next `times` requests whose method is `method` and in whose path `path` is found.

        Args:
            method: A regular expression for the whole method.
            path: A regular expression for a part of the path.
            status: The answer, instead of the work; None: the work is done (late, or with the answer dropped).
            times: How many requests it strikes.
            drop_answer: Does the work, then closes the connection without a word.
            delay: Seconds before anything else happens.
            retry_after: Seconds, sent as Retry-After; with 429 as RateLimit too.
            body: What is sent with `status` instead of an error object: JSON, or bytes as they are.
            until: What is waited for before anything else happens.
        """
        made = Fault(method, re.compile(path), status, times, drop_answer, delay, retry_after, body, until)
        self.planted.append(made)

    def clear(self) -> None:
        self.planted.clear()

    def strike(self, method: str, path: str) -> Fault | None:
        for fault in self.planted:
            if fault.times > 0 and re.fullmatch(fault.method, method) and fault.path.search(path):
                fault.times -= 1
                return fault
        return None


class Limits:
    """How often a user (None: everybody who is not signed in) may ask within a window."""

    def __init__(self) -> None:
        self._of: dict[str | None, tuple[int, float]] = {}
        self._asked: dict[str | None, list[float]] = {}

    def set(self, user: str | None, count: int, seconds: float = 300.0) -> None:
        self._of[user] = (count, seconds)
        self._asked[user] = []

    def check(self, user: str | None) -> Response | None:
        if user not in self._of:
            return None
        count, seconds = self._of[user]
        now = time.monotonic()
        asked = self._asked[user] = [at for at in self._asked[user] if now - at < seconds]
        if len(asked) >= count:
            return rate_limited(max(1, round(seconds - (now - asked[0]))), count, round(seconds))
        asked.append(now)
        return None


class Front:
    """The ASGI application before all others: routes by the path as it was sent, plants faults, writes the log."""

    def __init__(
        self, app: Any, faults: Faults, limits: Limits, requests: list[Request], who: Callable[[str], str | None]
    ) -> None:
        self._app = app
        self._faults = faults
        self._limits = limits
        self._requests = requests
        self._who = who

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["raw_path"].decode("ascii")
        request = HttpRequest(scope)
        user = self._who(request.headers.get("authorization", ""))
        status: list[int] = []

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                status.append(message["status"])
            if message["type"] == "http.response.body" and not message.get("more_body"):
                note()
            await send(message)

        def note(dropped: bool = False) -> None:
            about = scope["query_string"].decode("ascii"), request.headers.get("user-agent", "")
            self._requests.append(Request(scope["method"], path, user, None if dropped else status[0], *about))

        async def swallowed(message: Message) -> None:
            pass

        fault = self._faults.strike(scope["method"], path)
        if fault is not None and fault.delay:
            await asyncio.sleep(fault.delay)
        while fault is not None and fault.until is not None and not fault.until.is_set():
            await asyncio.sleep(0.01)
        answer = (None if fault is None else fault.answer()) or self._limits.check(user)
        routed = {**scope, "path": path}
        if answer is not None:
            await answer(routed, receive, noted)
        elif fault is not None and fault.drop_answer:
            await self._app(routed, receive, swallowed)
            note(dropped=True)
            await hang_up(send)
        else:
            await self._app(routed, receive, noted)


async def hang_up(send: Send) -> None:
    """Closes the connection; ASGI has no word for it, so this goes to uvicorn's own object behind `send`."""
    send.__self__.transport.abort()  # type: ignore[attr-defined]
    await asyncio.sleep(0.01)
