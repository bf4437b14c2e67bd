"""The service: takes the Hub's deliveries, checks and queues them, and shows how things stand.

A delivery is answered before anything is asked or computed. The server is FastAPI with the page mounted in it, not
Gradio's own: behind server-side rendering that one answers every POST with 405.
"""

import asyncio
import hmac
import logging
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from diffing.annotate.revision_queue import QUEUE, RevisionQueue
from diffing.annotate.settings import SHORTEST_SECRET, AnnotatorSettings
from diffing.annotate.webhook_payload import Ignored, read_delivery
from diffing.errors import MissingExtraError, SettingError
from diffing.jobs import Supervisor

if TYPE_CHECKING:
    from fastapi import FastAPI, Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = logging.getLogger(__name__)

ROUTE = "/webhooks/model-diff"
"""Where deliveries go."""
LARGEST = 256 * 1024
"""Bytes of a delivery, at most; the Hub's are a few thousand."""
_ASKS_NOBODY = (
    b"content-security-policy",
    b"default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; object-src 'none'; base-uri 'self'",
)
_PATIENCE = 10.0
"""Seconds for a delivery to arrive in full."""


def create_app(settings: AnnotatorSettings, secret: str) -> "FastAPI":
    """The service with its page, ready for uvicorn.

    Args:
        settings: What it does.
        secret: What deliveries must carry in X-Webhook-Secret.

    Raises:
        SettingError: The secret is empty or too short.
        MissingExtraError: FastAPI or Gradio is not installed.
    """
    try:
        import gradio as gr
    except ImportError:
        raise MissingExtraError("The annotator", "annotate") from None

    from diffing.annotate.annotator import annotate_forever
    from diffing.annotate.status_page import build

    queue = RevisionQueue(settings.state / QUEUE)
    webhook = Webhook(settings, secret, queue)
    app = webhook.serve(Supervisor(annotate_forever, settings, time.time()))
    mounted: FastAPI = gr.mount_gradio_app(
        app,
        build(settings, queue, webhook.rejected_deliveries),
        path="/",
        run_history=False,
        ssr_mode=False,
        show_error=False,
        footer_links=[],
        mcp_server=False,
        max_file_size=1,  # the page takes no input; its server would store any upload of anybody
    )
    mounted.add_middleware(_ContentSecurityPolicy)
    return mounted


class _ContentSecurityPolicy:
    """Has browsers load the page from this service alone: in a Space Gradio would have them ask others for fonts."""

    def __init__(self, app: "ASGIApp") -> None:
        self._app = app

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answers one request."""

        async def told(message: "Message") -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), _ASKS_NOBODY]}
            await send(message)

        await self._app(scope, receive, told)


class Webhook:
    """Where deliveries are handed in. Counts what it turns away, by reason, since its start.

    Raises:
        SettingError: The secret is empty or too short: such a service does not start.
    """

    def __init__(self, settings: AnnotatorSettings, secret: str, queue: RevisionQueue) -> None:
        if len(secret) < SHORTEST_SECRET:
            raise SettingError(f"The webhook's secret is too short: expected at least {SHORTEST_SECRET} characters")
        self._settings = settings
        self._secret = secret.encode()
        self._queue = queue
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def serve(self, worker: Supervisor) -> "FastAPI":
        """The route for deliveries, with a worker that starts and ends with the server."""
        from fastapi import FastAPI, Request
        from fastapi.responses import JSONResponse

        @asynccontextmanager
        async def lifespan(_: FastAPI) -> AsyncIterator[None]:
            worker.start()
            yield
            worker.stop()

        async def receive(request: Request) -> JSONResponse:
            status, answer = await self.receive(request)
            return JSONResponse(answer, status_code=status)

        app = FastAPI(title="diffing annotator", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
        app.add_api_route(ROUTE, receive, methods=["POST"])
        return app

    def rejected_deliveries(self) -> dict[str, int]:
        """Deliveries that were not queued, by reason."""
        with self._lock:
            return dict(self._counts.most_common())

    async def receive(self, request: "Request") -> tuple[int, dict[str, str]]:
        """The status and the answer to one delivery."""
        from starlette.concurrency import run_in_threadpool

        given = request.headers.get("x-webhook-secret")
        if given is None:
            return 401, self._away("no secret")
        if not hmac.compare_digest(given.encode("latin-1"), self._secret):
            return 403, self._away("wrong secret")
        body = await _body(request)
        if body is None:
            return 413, self._away("too large, or did not arrive in time")
        try:
            return await run_in_threadpool(self.take, body)
        except sqlite3.DatabaseError as error:  # a full disk: nothing was accepted, so nothing is said to be
            _log.error("The queue cannot be written (%s)", error)
            return 503, self._away("the queue could not be written")

    def take(self, body: bytes) -> tuple[int, dict[str, str]]:
        """Reads and queues the body of a delivery whose secret was right."""
        try:
            push = read_delivery(body, self._settings.allows)
        except SettingError as error:
            self._count("malformed")
            return 400, {"status": "refused", "reason": str(error)}
        if isinstance(push, Ignored):
            return 200, self._away(push.reason)
        if self._queue.is_own(push.repository, push.commit):
            return 200, self._away("a commit of this service")
        if not self._queue.add(push):
            return 200, self._away("known already")
        return 202, {"status": "queued"}

    def _away(self, reason: str) -> dict[str, str]:
        self._count(reason)
        return {"status": "ignored", "reason": reason}

    def _count(self, reason: str) -> None:
        with self._lock:
            self._counts[reason] += 1


async def _body(request: "Request") -> bytes | None:
    """The body; None where it is too large or does not arrive in time."""
    from starlette.requests import ClientDisconnect

    body = bytearray()
    try:
        async with asyncio.timeout(_PATIENCE):
            async for piece in request.stream():
                body += piece
                if len(body) > LARGEST:
                    return None
    except (TimeoutError, ClientDisconnect):
        return None
    return bytes(body)
