"""Serves the first page from a thread until the block ends, and then leaves its port to Gradio."""

import asyncio
import os
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from diffing.errors import SettingError
from diffing.view.first_page.first_html import render_first_page
from diffing.view.site import Site

if TYPE_CHECKING:
    from starlette.middleware import Middleware
    from starlette.types import ASGIApp, Receive, Scope, Send

FIRST_PAGE_HEADER = "x-diffing-first-page"
"""The response header by which programs tell this page from the one that follows."""
_PORT, _PORTS = 7860, 100
"""Gradio's first port, and how many it tries."""
_POLLED = "/gradio_api/app_id"
"""The path that the browser asks for until Gradio answers. An error there would fill the browser's console."""
_NOT_YET = "The app is starting. Ask again in a few seconds."
_TICK = 0.002


@contextmanager
def first_page(
    site: Site, layers: "Sequence[Middleware]", *, host: str | None, port: int | None
) -> Iterator[dict[str, Any]]:
    """Serves the first page until the block ends. Then nothing listens on the port until Gradio does.

    Args:
        site: What all visitors share.
        layers: The middleware of the page, the outermost first, which guards this one as well.
        host: The address to listen on; None for Gradio's choice.
        port: The port; None for Gradio's choice.

    Yields:
        The address and the port, as keyword arguments for `Blocks.launch`.

    Raises:
        SettingError: No port is free.
    """
    import uvicorn

    app: ASGIApp = _FirstPage(site)
    for layer in reversed(layers):
        app = layer.cls(app, *layer.args, **layer.kwargs)
    with _listener(host or os.environ.get("GRADIO_SERVER_NAME") or "127.0.0.1", port) as listener:
        # of the event loops, asyncio's closes the listener at once
        config = uvicorn.Config(app, loop="asyncio", lifespan="off", ws="none", log_level="warning")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), name="first-page", daemon=True)
        thread.start()
        place = dict(zip(("server_name", "server_port"), listener.getsockname(), strict=False))  # IPv6 has more fields
        render_first_page(site, "")  # while Gradio is imported, this would take twice as long
        try:
            yield place
        finally:
            server.should_exit = True
            while thread.is_alive() and listener.fileno() != -1:
                time.sleep(_TICK)


class _FirstPage:
    """Answers requests for the page, and refuses all others for now."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Handles one request."""
        from starlette.responses import HTMLResponse, PlainTextResponse, Response

        headers = {FIRST_PAGE_HEADER: "1", "cache-control": "no-store"}
        answer: Response = PlainTextResponse(_NOT_YET, 503, headers | {"retry-after": "2"})
        if scope["path"] == _POLLED:
            answer = Response(status_code=204, headers=headers)
        elif scope["path"] == "/" and scope["method"] in ("GET", "HEAD"):
            query = scope["query_string"].decode("ascii", "replace")
            answer = HTMLResponse(await asyncio.to_thread(render_first_page, self._site, query), 200, headers)
        await answer(scope, receive, send)


def _listener(host: str, port: int | None) -> socket.socket:
    """Listens on a port, or on the first free one of those that Gradio tries.

    Raises:
        SettingError: None of them is free.
    """
    first = port or int(os.environ.get("GRADIO_SERVER_PORT") or _PORT)
    count = 1 if port else int(os.environ.get("GRADIO_NUM_PORTS") or _PORTS)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in range(first, first + count):
        try:
            return socket.create_server((host.strip("[]"), number), family=family)
        except OSError as error:
            reason = error.strerror
    raise SettingError(
        f"Cannot listen on {host}:{first} ({reason}). Stop what uses this port, or set GRADIO_SERVER_PORT to another"
    )
