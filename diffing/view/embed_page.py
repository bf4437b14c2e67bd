"""Middleware that answers `?embed=1` with a small page for a frame in another page, without starting the app.

The page holds no script and no form, so it does no harm in a frame of any site, unlike the page itself (see `csrf`).
"""

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from diffing.outputs.html.embedded_page import embed
from diffing.view.caching import cached_per_visitor
from diffing.view.linked_report import linked_report
from diffing.view.page_query import LONGEST, read_address
from diffing.view.site import Site

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors {}; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
_FRAMES = {False: "'self'", True: "*"}
"""Who may show the page in a frame, by whether the machine is public."""
_REMEMBERED_SECONDS = 60.0
"""How long a page is kept: whoever opens a page that holds the frame asks for it, and a diff asks the Hub."""
_NOTHING = "There is no finished result at this link, or not everybody may read it."


class EmbedPage:
    """Answers requests of the page with `embed=1` in their query, and passes on all others."""

    def __init__(self, app: "ASGIApp", *, site: Site) -> None:
        """Wraps an ASGI app.

        Args:
            app: The app that answers all other requests.
            site: The site whose results are shown.
        """
        self._app, self._site = app, site
        self._shown = cached_per_visitor(_REMEMBERED_SECONDS, self._page, key=lambda query: query)

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Handles one request."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD") or scope["path"] != "/":
            await self._app(scope, receive, send)
            return
        query = scope["query_string"].decode("ascii", "replace")
        if parse_qs(query[:LONGEST]).get("embed") != ["1"]:
            await self._app(scope, receive, send)
            return
        from starlette.responses import HTMLResponse, PlainTextResponse

        page = await asyncio.to_thread(self._shown, query)
        headers = {
            "content-security-policy": _POLICY.format(_FRAMES[self._site.settings.rules.public]),
            "x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "cache-control": "max-age=300",
        }  # fmt: skip
        answer = HTMLResponse(page, 200, headers) if page else PlainTextResponse(_NOTHING, 404, headers)
        await answer(scope, receive, send)

    def _page(self, query: str) -> str | None:
        address = read_address(query)
        opened = linked_report(self._site, address)
        if opened is None:
            return None
        finding = parse_qs(query[:LONGEST]).get("finding", [""])[0]
        page = embed(opened.report, opened.page, f"?{address.query}", finding)
        return page.encode("utf-8", "replace").decode()
