"""Middleware that stops other websites from acting in a visitor's name (CSRF), and the page from contacting others.

A browser sends a visitor's cookies along even if another website triggers the request. In the other direction, whatever
the page loads from other servers would tell them about the visitor.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SAFE = ("GET", "HEAD", "OPTIONS")
_ACTS = "/logout"
"""A path that changes something although it is requested with GET."""
_PORTS = {"http": ":80", "https": ":443"}
_OURS = (b"same-origin", b"none")
"""Values of Sec-Fetch-Site that browsers send for requests made by this page, and for addresses that a person typed."""
_OWN = (
    b"default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; object-src 'none'; base-uri 'self'; "
    b"form-action 'self'; frame-ancestors 'self'"
)
"""The content security policy: a visitor's browser contacts this app alone. Without it, Gradio on a Space would load a
font from another server and the author's picture from the Hub. Whatever URLs a report holds, no browser fetches them.
"""
_FRAMES = {False: b"", True: b" https://huggingface.co https://*.huggingface.co https://*.hf.space"}
"""Additional sites that may embed the page in a frame, by whether the machine is public. In a frame of any other site,
a click could be meant for something else. On a public machine the Hub may embed the page."""
_REFUSED = (
    "Another website asked for this in your browser's name. Expected a request of this page: open it and act there"
)


class CsrfGuard:
    """Refuses requests that another website makes in the name of a signed-in visitor.

    Programs that call the API are not affected: they send no headers about websites and authenticate with a token.
    """

    def __init__(self, app: "ASGIApp", *, public: bool, host: str = "") -> None:
        """Wraps an ASGI app.

        Args:
            app: The app that answers the requests.
            public: Whether strangers use this machine. Then requests without a cookie act for nobody and may pass; on
                your own machine they would act with the machine's login.
            host: Another host name of the page. Behind a proxy, the Host header may not be the one that the browser
                used.
        """
        self._app, self._public, self._host = app, public, host.lower()

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Handles one request."""
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
        """Whether the browser says that the request comes from another website.

        New browsers say so in Sec-Fetch-Site, older ones send the address of the site in Origin or Referer. The address
        is `null` for a page that hides it.
        """
        site = headers.get(b"sec-fetch-site")
        if site is not None:
            return site not in _OURS
        origin = headers.get(b"origin", headers.get(b"referer"))
        if origin is None:
            return False
        hosts = {headers.get(b"host", b"").decode("latin-1").lower(), self._host} - {""}
        return _host_of(origin.decode("latin-1")) not in hosts


def _host_of(address: str) -> str:
    """The host of an address, with its port unless that is the default one."""
    try:
        parts = urlsplit(address)
        host = parts.netloc.rpartition("@")[2].lower()
    except ValueError:
        return ""
    return host.removesuffix(_PORTS.get(parts.scheme, "\n"))
