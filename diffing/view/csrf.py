"""Keeps other websites from acting through a visitor's browser, and the page from asking other websites.

Requests of other websites carry the visitor's cookies too; what a page asks of others tells them of the visitor.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SAFE = ("GET", "HEAD", "OPTIONS")
_ACTS = "/logout"
"""What is done by going there."""
_PORTS = {"http": ":80", "https": ":443"}
_OURS = (b"same-origin", b"none")
"""What browsers say of requests of this page, and of addresses that were typed."""
_OWN = (
    b"default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; object-src 'none'; base-uri 'self'; "
    b"form-action 'self'; frame-ancestors 'self'"
)
"""What a visitor's browser loads and asks: this app alone. On a Space Gradio would have it ask others for a font, and
the Hub for its author's picture; whatever a report holds, no browser fetches it."""
_FRAMES = {False: b"", True: b" https://huggingface.co https://*.huggingface.co https://*.hf.space"}
"""Whose pages may also hold this one as a frame: in any other's, a click could be meant for something else. The Hub's
may on a public machine."""
_REFUSED = (
    "Another website asked for this in your browser's name. Expected a request of this page: open it and act there"
)


class Guard:
    """Refuses what another website's page sends in the name of who is signed in here.

    Programs are no browsers: they say nothing of sites, and act with the token that they are given.
    """

    def __init__(self, app: "ASGIApp", *, public: bool, host: str = "") -> None:
        """Stands before an app.

        Args:
            app: What answers.
            public: Whether nobody's login acts without a cookie; on a machine of one's own the machine's does.
            host: Another name by which the page is called: proxies may not say the one that the browser used.
        """
        self._app, self._public, self._host = app, public, host.lower()

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answers one request."""
        from starlette.responses import PlainTextResponse

        if scope["type"] in ("http", "websocket") and self._refuses(scope):
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008, "reason": _REFUSED})
            else:
                await PlainTextResponse(_REFUSED, 403)(scope, receive, send)
            return

        async def framed(message: "Message") -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ()), (b"content-security-policy", _OWN + _FRAMES[self._public])]
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, framed)

    def _refuses(self, scope: "Scope") -> bool:
        """Whether a request acts in somebody's name and comes from another website."""
        harmless = scope["type"] == "http" and scope["method"] in _SAFE
        if harmless and not scope["path"].rstrip("/").endswith(_ACTS):
            return False
        headers = dict(scope["headers"])
        return (b"cookie" in headers or not self._public) and self._is_foreign(headers)

    def _is_foreign(self, headers: Mapping[bytes, bytes]) -> bool:
        """What a browser says of where it comes from: in one word, or where it is older, as an address.

        `null` is the address of a page that hides its own.
        """
        site = headers.get(b"sec-fetch-site")
        if site is not None:
            return site not in _OURS
        told = headers.get(b"origin", headers.get(b"referer"))
        if told is None:
            return False
        hosts = {headers.get(b"host", b"").decode("latin-1").lower(), self._host} - {""}
        return _host_of(told.decode("latin-1")) not in hosts


def _host_of(address: str) -> str:
    """The host of an address with its port, where that is not the usual one."""
    try:
        parts = urlsplit(address)
        host = parts.netloc.rpartition("@")[2].lower()
    except ValueError:
        return ""
    return host.removesuffix(_PORTS.get(parts.scheme, "\n"))
