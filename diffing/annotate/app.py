"""The annotator's web app: accepts the Hub's webhook requests, queues revisions, and serves the status page.

A request is answered at once, before anything is fetched or computed. The server is FastAPI with the page mounted in
it, because Gradio's own server answers every POST with 405 if it uses server-side rendering.
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
from diffing.annotate.webhook_payload import IgnoredPush, read_delivery
from diffing.errors import MissingExtraError, SettingError
from diffing.jobs import Supervisor

if TYPE_CHECKING:
    from fastapi import FastAPI, Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = logging.getLogger(__name__)

ROUTE = "/webhooks/model-diff"
"""Path to which the Hub sends webhook requests."""
LARGEST = 256 * 1024
"""Maximum size of a webhook request in bytes; those of the Hub have a few thousand."""
_SECURITY_HEADER = (
    b"content-security-policy",
    b"default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; object-src 'none'; base-uri 'self'",
)
_PATIENCE = 10.0
"""Maximum number of seconds for a request to arrive in full."""


def create_app(settings: AnnotatorSettings, secret: str) -> "FastAPI":
    """Creates the service with its status page, ready for uvicorn.

    Args:
        settings: The settings of the service.
        secret: The secret that requests must contain in X-Webhook-Secret.

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
        max_file_size=1,  # the page takes no input, but its server would store uploads from anybody
    )
    mounted.add_middleware(_ContentSecurityPolicy)
    return mounted


class _ContentSecurityPolicy:
    """Middleware that lets browsers load resources only from this service; Gradio would load fonts from elsewhere."""

    def __init__(self, app: "ASGIApp") -> None:
        self._app = app

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answers one request."""

        async def send_with_header(message: "Message") -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), _SECURITY_HEADER]}
            await send(message)

        await self._app(scope, receive, send_with_header)


class Webhook:
    """Handles webhook requests, and counts those that it rejects, by reason.

    Raises:
        SettingError: The secret is empty or too short.
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
        """Creates the app with the webhook's route; the worker starts and ends with the server."""
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
        """Returns the number of requests since the start that were not queued, by reason."""
        with self._lock:
            return dict(self._counts.most_common())

    async def receive(self, request: "Request") -> tuple[int, dict[str, str]]:
        """Handles one request, and returns the HTTP status and the answer."""
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
        except sqlite3.DatabaseError as error:  # for example a full disk: the revision was not queued
            _log.error("The queue cannot be written (%s)", error)
            return 503, self._away("the queue could not be written")

    def take(self, body: bytes) -> tuple[int, dict[str, str]]:
        """Reads the body of a request with the right secret, and queues its revision."""
        try:
            push = read_delivery(body, self._settings.allows)
        except SettingError as error:
            self._count("malformed")
            return 400, {"status": "refused", "reason": str(error)}
        if isinstance(push, IgnoredPush):
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
    """Reads the body; returns None if it is too large or does not arrive in time."""
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
