"""Leads what `huggingface_hub` sends to the router to a local server, by its own client factory."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import huggingface_hub
from huggingface_hub.utils._http import default_client_factory

from tests.servers.openai_server import OpenAIServer

ROUTER = "https://router.huggingface.co"


class _Redirect(httpx2.BaseTransport):
    """Sends every request over real HTTP, but to another host."""

    def __init__(self, url: str) -> None:
        self._to = httpx2.URL(url)
        self._inner = httpx2.HTTPTransport(verify=False)  # plain http: certificates would only take time

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        request.url = request.url.copy_with(scheme=self._to.scheme, host=self._to.host, port=self._to.port)
        return self._inner.handle_request(request)


@contextmanager
def router_at(server: OpenAIServer) -> Iterator[OpenAIServer]:
    """While it lasts, requests to the router reach `server`, and requests to any other host fail."""
    huggingface_hub.set_client_factory(
        lambda: httpx2.Client(mounts={ROUTER: _Redirect(server.url)}, transport=_Redirect("http://127.0.0.1:9"))
    )
    try:
        yield server
    finally:
        huggingface_hub.set_client_factory(default_client_factory)
