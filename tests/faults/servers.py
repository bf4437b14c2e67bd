"""Ways in which servers fail, and how often: by a hash of seed, question and attempt, so always the same."""

import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from tests.servers.openai_server import (
    Body,
    Drop,
    Fault,
    Finish,
    Message,
    Named,
    NullContent,
    Reset,
    Status,
    Trickle,
)

JSON = "application/json"
SHARE = 0.3
"""Of the calls."""
MOST_IN_A_ROW = 4
"""Faults of one question before it is answered: fewer than the client's attempts."""

PASSING: Mapping[str, Fault] = {
    "429 with Retry-After": Status(429, headers={"Retry-After": "0.01"}),
    "429 with a Retry-After that is no time": Status(429, headers={"Retry-After": "inf"}),
    "429 without Retry-After": Status(429),
    "408": Status(408),
    "500": Status(500),
    "502 in HTML": Body("<html><h1>502 Bad Gateway</h1></html>", status=502),
    "503": Status(503),
    "500 within a 200": Body('{"error": {"message": "upstream failed", "code": 500}}', JSON),
    "the connection is reset": Reset(),
    "the connection ends in the middle": Drop(),
    "JSON is cut": Body('{"choices": [{"message": {"role": "assistant", "content": "Here is', JSON),
    "another content type": Body("<html>It works!</html>"),
    "the body is empty": Body("", JSON),
    "bytes that are no text": Body(bytes(range(128, 256)), JSON),
    "UTF-8 is cut": Body(b'{"choices": [{"message": {"content": "caf\xc3"}}]}', JSON),
    "another encoding than it says": Body("plain", JSON, headers={"Content-Encoding": "gzip"}),
    "no content": NullContent(),
    "a tool call": Message({"content": None, "tool_calls": [{"id": "1"}]}, "tool_calls"),
    "no choices": Body('{"choices": []}', JSON),
    "JSON that is deep": Body("[" * 500 + "]" * 500, JSON),
    "a body without end": Body(b'{"choices": "' + b"x" * 8_100_000 + b'"}', JSON),
    "finish_reason error": Finish("error"),
}
"""Faults that pass, and change nothing."""
LATER: Mapping[str, Fault] = {
    "another model": Named(),
    "a redirect": Status(302, headers={"Location": "http://127.0.0.1:9/login"}),
}
"""Faults that pass once the server has answered as it was asked."""
SLOW: Mapping[str, Fault] = {"a slow trickle": Trickle()}
"""Faults that take as long as the client waits for an answer."""


def chance(*parts: object) -> float:
    """A number from 0 to 1, by hash."""
    digest = hashlib.sha256("\0".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:4]) / 2**32


def question(request: Mapping[str, Any]) -> tuple[str, str]:
    """Who is asked what."""
    return request["model"], request["messages"][-1]["content"]


class Passing:
    """The fault on a share of the calls; asked again, each question is answered after a few attempts."""

    def __init__(self, fault: Fault, *, seed: int = 0, after: int = 0, most: int = 10**9) -> None:
        self._fault = fault
        self._seed = seed
        self._after = after
        self.most = most
        """So many, then no more."""
        self._attempts: Counter[tuple[str, str]] = Counter()
        self._of_model: Counter[str] = Counter()
        self._lock = threading.Lock()
        self.planted = 0
        """How many faults there were."""

    def __call__(self, request: Mapping[str, Any]) -> Fault | None:
        asked = question(request)
        with self._lock:
            attempt = self._attempts[asked]
            self._attempts[asked] += 1
            self._of_model[asked[0]] += 1
            if self._of_model[asked[0]] <= self._after or attempt >= MOST_IN_A_ROW or self.planted >= self.most:
                return None
            if chance(self._seed, *asked, attempt) >= SHARE:
                return None
            self.planted += 1
            return self._fault


def hit(request: Mapping[str, Any], seed: int = 0) -> bool:
    """Whether a question is one of those that a lasting fault is about."""
    return chance(seed, *question(request)) < SHARE


def lasting(fault: Fault, *models: str, seed: int = 0) -> Callable[[Mapping[str, Any]], Fault | None]:
    """The fault on a share of the questions to some models, however often they are asked."""
    return lambda request: fault if request["model"] in models and hit(request, seed) else None
