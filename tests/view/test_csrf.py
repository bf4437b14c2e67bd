"""Another website cannot act in the name of who is signed in, however old the browser and whatever the request."""

import asyncio
from pathlib import Path
from typing import Any

import httpx2
import pytest

from diffing.view.csrf import CsrfGuard
from diffing.view.runs import PUBLIC
from tests.view.served import served
from tests.waiting import DEADLINE

API = "gradio_api/"
ACTING = (
    *(f"{API}{path}" for path in ("call/find_diffs", "run/stop_diff", "api/stop_diff", "queue/join", "queue/data")),
    *(f"{API}{path}" for path in ("component_server/", "upload", "reset", "mcp/", "stream/x", "cancel")),
    *("login", "any/other"),
)
FOREIGN: dict[str, dict[str, str]] = {
    "a browser of today": {"sec-fetch-site": "cross-site"},
    "another page of the same site": {"sec-fetch-site": "same-site"},
    "an older browser": {"origin": "https://evil.example"},
    "a hidden origin": {"origin": "null"},
    "an origin that begins like ours": {"origin": "http://127.0.0.1.evil.example"},
    "an origin with our name as its user": {"origin": "http://127.0.0.1@evil.example"},
    "another port of this machine": {"origin": "http://127.0.0.1:9"},
    "no origin, but where it comes from": {"referer": "https://evil.example/page?x=http://127.0.0.1"},
    "an address that is none": {"origin": "http://[::1"},
    "a proxy's word for it": {"origin": "https://evil.example", "x-forwarded-host": "evil.example"},
}
JSON_AS_TEXT = {"content-type": "text/plain"}
COOKIE = {"cookie": "session=x"}


@pytest.mark.parametrize("public", [True, False])
def test_every_way_to_act_is_closed_to_other_websites(tmp_path: Path, public: bool) -> None:
    cookie = COOKIE if public else {}  # on a machine of one's own its login needs none
    with (
        served(tmp_path / "site", **({"rules": PUBLIC} if public else {})) as at,
        httpx2.Client(timeout=DEADLINE) as client,
    ):

        def status(path: str, headers: dict[str, str], method: str = "POST") -> int:
            given = {**JSON_AS_TEXT, **cookie, **headers}
            return client.request(method, f"{at.url}{path}", headers=given, content=b'{"data": []}').status_code

        for name, headers in FOREIGN.items():
            assert status(ACTING[0], headers) == 403, name
        for path in ACTING:
            assert status(path, FOREIGN["an older browser"]) == 403, path
        for method in ("PUT", "PATCH", "DELETE"):
            assert status("", FOREIGN["an older browser"], method) == 403, method
        assert status("logout", FOREIGN["an older browser"], "GET") == 403
        host = at.url.removeprefix("http://").rstrip("/")
        for headers in ({}, {"origin": f"http://{host}"}, {"referer": at.url}, {"sec-fetch-site": "same-origin"}):
            assert status(ACTING[0], headers) != 403, headers


def asked(guard: CsrfGuard, kind: str, **headers: str) -> list[dict[str, Any]]:
    """What a guard sends to one request."""
    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(dict(message))

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    asyncio.run(guard({"type": kind, "method": "POST", "path": "/x", "headers": given}, receive, send))
    return sent


async def app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "reached"})


def test_sockets_are_closed_to_other_websites_too() -> None:
    guard = CsrfGuard(app, public=True)
    (closed,) = asked(guard, "websocket", host="x", origin="https://evil.example", cookie="session=x")
    assert (closed["type"], closed["code"]) == ("websocket.close", 1008)
    assert asked(guard, "websocket", host="x", origin="https://x", cookie="session=x") == [{"type": "reached"}]


def test_behind_a_proxy_the_pages_own_name_counts() -> None:
    guard = CsrfGuard(app, public=True, host="Alice-Diffing.hf.space")
    headers = {"host": "10.0.0.7:7860", "cookie": "session=x"}
    assert asked(guard, "http", origin="https://alice-diffing.hf.space:443", **headers) == [{"type": "reached"}]
    assert asked(guard, "http", origin="https://evil.hf.space", **headers)[0]["status"] == 403
    # an app that was told no name of its own has none that a request without one could match
    assert asked(CsrfGuard(app, public=True), "http", origin="null", cookie="session=x")[0]["status"] == 403
