"""Middleware that adds title and picture of a linked result to the page's HTML, for link previews in chats.

They read `<meta property="og:...">` tags and do not run scripts. Without this, every link would be previewed as an app
made with Gradio.
"""

import asyncio
import re
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import quote

from markupsafe import Markup

from diffing.outputs.figures import badge, png_of
from diffing.outputs.figures.preview import HEIGHT, WIDTH, preview
from diffing.outputs.headline import statements
from diffing.outputs.phrasing import explanation, one_line
from diffing.types import Report
from diffing.view.linked_report import linked_report
from diffing.view.page_query import PageAddress, read_address
from diffing.view.site import Site

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

PICTURE = "/link-preview.png"
"""The path of the picture; its query is that of the page."""
BADGE = "/badge.svg"
"""The path of the badge, in the same way."""
_TITLE = "How do two models behave differently?"
_DESCRIPTION = "Compare two language models on the same prompts. Every difference is tested on prompts of its own."
_TITLE_LENGTH, _DESCRIPTION_LENGTH = 110, 300
_SECONDS = 2.0
"""How long the page waits for a preview. A diff on the Hub may have to be downloaded first."""
_MOST_PICTURES = 64
_TAGS = re.compile(rb'<meta\s+(?:property|name)="(?:og|twitter):[^<>]*>')
_HEAD_ENDS = b"</head>"


@dataclass(frozen=True, slots=True)
class LinkPreview:
    """What a preview of a link says."""

    title: str = _TITLE
    """The title, one line."""
    description: str = _DESCRIPTION
    """What the link shows, in a sentence or two."""
    pictured: bool = False
    """Whether there is a picture."""


class LinkPreviews:
    """Previews of the results that a visitor without a sign-in may open. It is thread-safe."""

    def __init__(self, site: Site) -> None:
        from cachetools import LRUCache

        self._site = site
        self._pictures: LRUCache[str, bytes] = LRUCache(_MOST_PICTURES)
        self._lock = Lock()

    def of(self, query: str) -> LinkPreview:
        """What a preview of a link with this query says; that of the start page if the link opens no result."""
        report = self._report(read_address(query))
        if report is None:
            return LinkPreview()
        title = one_line(statements(report)[0], _TITLE_LENGTH)
        return LinkPreview(title, one_line(explanation(report), _DESCRIPTION_LENGTH), pictured=True)

    def picture(self, query: str) -> bytes | None:
        """The picture of a link with this query as PNG; None if the link opens no result."""
        address = read_address(query)
        with self._lock:
            drawn = self._pictures.get(address.query)
        if drawn is None and (report := self._report(address)) is not None:
            drawn = png_of(preview(report))
            with self._lock:
                self._pictures[address.query] = drawn
        return drawn

    def badge(self, query: str) -> bytes | None:
        """The badge of a link with this query as SVG; None if the link opens no result."""
        report = self._report(read_address(query))
        return badge(report) if report else None

    def _report(self, address: PageAddress) -> Report | None:
        opened = linked_report(self._site, address)
        return opened.report if opened else None


class LinkPreviewTags:
    """Puts the tags into the page's HTML, and serves the pictures."""

    def __init__(self, app: "ASGIApp", *, previews: LinkPreviews, host: str = "") -> None:
        """Wraps an ASGI app.

        Args:
            app: The app that answers the requests.
            previews: The previews.
            host: The host name of the page on a Space, where requests come through a proxy; else empty.
        """
        self._app, self._previews, self._host = app, previews, host

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Handles one request."""
        ours = ("/", PICTURE, BADGE)
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD") or scope["path"] not in ours:
            await self._app(scope, receive, send)
            return
        query = scope["query_string"].decode("ascii", "replace")
        if scope["path"] != "/":
            await self._send_picture(query, scope, receive, send)
            return
        try:
            shown = await asyncio.wait_for(asyncio.to_thread(self._previews.of, query), _SECONDS)
        except TimeoutError:
            shown = LinkPreview()
        tags = _tags(shown, self._address(scope), query)
        await self._app(scope, receive, _Rewriting(send, tags))

    async def _send_picture(self, query: str, scope: "Scope", receive: "Receive", send: "Send") -> None:
        from starlette.responses import PlainTextResponse, Response

        draw, kind = (self._previews.badge, "image/svg+xml")
        if scope["path"] == PICTURE:
            draw, kind = (self._previews.picture, "image/png")
        picture = await asyncio.to_thread(draw, query)
        if picture is None:
            await PlainTextResponse("There is no such result.", 404)(scope, receive, send)
            return
        headers = {"cache-control": "public, max-age=3600", "x-content-type-options": "nosniff"}
        await Response(picture, media_type=kind, headers=headers)(scope, receive, send)

    def _address(self, scope: "Scope") -> str:
        """The page's address as the browser sees it, such as `https://org-name.hf.space`; previews need whole URLs."""
        if self._host:
            return f"https://{self._host}"
        host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
        return f"{scope['scheme']}://{quote(host, safe=':[]')}"


def _tags(shown: LinkPreview, address: str, query: str) -> bytes:
    """The tags as HTML."""
    where = read_address(query).query
    properties = {
        "og:type": "website",
        "og:site_name": "diffing",
        "og:title": shown.title,
        "og:description": shown.description,
        "og:url": f"{address}/?{where}" if where else f"{address}/",
    }
    named = {"description": shown.description, "twitter:card": "summary"}
    if shown.pictured:
        properties |= {
            "og:image": f"{address}{PICTURE}?{where}",
            "og:image:type": "image/png",
            "og:image:width": str(WIDTH),
            "og:image:height": str(HEIGHT),
            "og:image:alt": shown.title,
        }
        named["twitter:card"] = "summary_large_image"
    lines = [Markup('<meta property="{}" content="{}">').format(*each) for each in properties.items()]
    lines += [Markup('<meta name="{}" content="{}">').format(*each) for each in named.items()]
    return Markup("\n").join(lines).encode("utf-8", "replace")


class _Rewriting:
    """Sends an HTML response with other tags in its head; other responses pass unchanged."""

    def __init__(self, send: "Send", tags: bytes) -> None:
        self._send, self._tags = send, tags
        self._start: Message | None = None
        self._body = bytearray()

    async def __call__(self, message: "Message") -> None:
        """Handles one message of the response."""
        if message["type"] == "http.response.start" and _is_html(message):
            self._start = message
        elif self._start is None or message["type"] != "http.response.body":
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._finish(self._start)

    async def _finish(self, start: "Message") -> None:
        head, ends, rest = bytes(self._body).partition(_HEAD_ENDS)
        body = b"".join((_TAGS.sub(b"", head), self._tags, ends, rest)) if ends else head
        headers = [each for each in start.get("headers", ()) if each[0].lower() != b"content-length"]
        await self._send({**start, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
        await self._send({"type": "http.response.body", "body": body})


def _is_html(message: "Message") -> bool:
    headers = {name.lower(): value for name, value in message.get("headers", ())}
    return headers.get(b"content-type", b"").startswith(b"text/html") and b"content-encoding" not in headers
