"""Keeps other websites from acting through a visitor's browser: their requests carry the visitor's cookies too."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SAFE = ("GET", "HEAD", "OPTIONS")
_OURS = (b"same-origin", b"none")
"""What browsers say of requests of this page, and of addresses that were typed."""
_FRAMES = {
    False: b"frame-ancestors 'self'",
    True: b"frame-ancestors 'self' https://huggingface.co https://*.huggingface.co https://*.hf.space",
}
"""Whose pages may hold this one as a frame: in any other's, a click could be meant for something else. The Hub's may on
a public machine."""
_REFUSED = (
    "Another website asked for this in your browser's name. Expected a request of this page: open it and act there"
)


class Guard:
    """Refuses what another website's page sends in the name of who is signed in here.

    Programs are no browsers: they say nothing of sites, and act with the token that they are given.
    """

    def __init__(self, app: "ASGIApp", *, public: bool) -> None:
        """Stands before an app.

        Args:
            app: What answers.
            public: Whether nobody's login acts without a cookie; on a machine of one's own the machine's does.
        """
        self._app, self._public = app, public

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answers one request."""
        from starlette.responses import PlainTextResponse

        if scope["type"] == "http" and scope["method"] not in _SAFE:
            headers = dict(scope["headers"])
            foreign = headers.get(b"sec-fetch-site", b"none") not in _OURS
            if not self._public and b"sec-fetch-site" not in headers:  # older browsers; no proxy stands before it
                origin = headers.get(b"origin")
                foreign = origin is not None and origin.partition(b"://")[2] != headers.get(b"host")
            if foreign and (b"cookie" in headers or not self._public):
                await PlainTextResponse(_REFUSED, 403)(scope, receive, send)
                return

        async def framed(message: "Message") -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ()), (b"content-security-policy", _FRAMES[self._public])]
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, framed)
