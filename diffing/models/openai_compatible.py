"""The backend for models on an OpenAI-compatible server (vLLM, TGI, llama.cpp, Ollama, hosted services).

It uses `/chat/completions` only. A server's weights are unknown, so the model's id is its name and the address.
"""

import ipaddress
import os
from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar

import httpx2

from diffing.errors import SettingError
from diffing.model_ref import ModelPlace, ModelRef
from diffing.models.chat_model import Body, ChatModel
from diffing.models.remote import RequestLimits
from diffing.models.transport import post_json

_KEY_VARIABLES = ("DIFFING_API_KEY", "OPENAI_API_KEY")


class OpenAIModel(ChatModel):
    """A model by name on a server by URL; its id is `openai:name@host[:port]/path`."""

    remedies: ClassVar[Mapping[int, str]] = {
        401: "Give the server's key in DIFFING_API_KEY or OPENAI_API_KEY.",
        402: "Add credit to the account of the key, then rerun: answers so far are kept.",
        403: "The key may not use this model: use another key or another model.",
        404: "Check the model's name and the base URL; most end in /v1.",
        422: "The server does not take requests of this form: check that it is OpenAI-compatible.",
    }
    """Advice on permanent errors, by HTTP status."""

    def __init__(
        self,
        name: str,
        base_url: str,
        *,
        api_key: str | None = None,
        concurrency: int = 8,
        timeout: float = 120.0,
        attempts: int = 6,
    ) -> None:
        """Checks the address without connecting to it.

        Args:
            name: The model's name on the server.
            base_url: The address up to, not including, `/chat/completions`.
            api_key: Sent as a bearer token; None uses DIFFING_API_KEY or OPENAI_API_KEY from the environment.
            concurrency: Maximum number of simultaneous requests.
            timeout: Seconds to wait for one answer.
            attempts: Maximum number of attempts per request.

        Raises:
            SettingError: The name is empty, the address is not a URL, or the key cannot be sent.
        """
        if not name.strip():
            raise SettingError("An openai: model needs the name it has on the server, for example openai:qwen2.5-7b")
        address = _base_url(base_url)
        self._url = f"{address.scheme}://{address.netloc.decode('ascii')}{address.path.rstrip('/')}"
        self._here = _is_loopback(address.host)
        key = (api_key or next(filter(None, map(os.environ.get, _KEY_VARIABLES)), "")).strip()
        if not (key.isascii() and key.isprintable()):
            raise SettingError("The API key contains characters that no key has: copy it again, without line breaks")
        effort = RequestLimits(concurrency=concurrency, timeout=timeout, attempts=attempts)
        identity = str(ModelRef(ModelPlace.OPENAI, name, address=self._url.partition("://")[2]))
        super().__init__(identity, name, effort=effort, secret=key or None)
        self._effort = effort

    @cached_property
    def _client(self) -> httpx2.Client:
        return httpx2.Client(
            headers={"Authorization": f"Bearer {self._secret}"} if self._secret else {},
            limits=httpx2.Limits(max_connections=self._effort.concurrency),
            trust_env=not self._here,  # a proxy cannot reach this machine's own servers
            verify=self._url.startswith("https:"),  # plain http needs no certificates, and loading them takes time
        )

    def _send(self, body: Body) -> object:
        return post_json(self._client, f"{self._url}/chat/completions", body, self._effort.timeout)


def _base_url(given: str) -> httpx2.URL:
    """The validated address with a scheme and without a slash or `/chat/completions` at its end."""
    text = given.strip()
    if text and "://" not in text:
        host = text.split("/")[0].rsplit(":", 1)[0]
        text = f"{'http' if _is_loopback(host) else 'https'}://{text}"
    scheme, separator, rest = text.rstrip("/").removesuffix("/chat/completions").partition("://")
    try:
        url = httpx2.URL(scheme.lower() + separator + rest)
    except httpx2.InvalidURL as error:
        raise SettingError(f"The base URL is not a URL ({error}). Give one such as http://localhost:8000/v1") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise SettingError("The base URL must be http:// or https:// with a host, such as http://localhost:8000/v1")
    if url.userinfo or url.query or url.fragment:
        raise SettingError(
            "The base URL must hold no user, password, query or fragment. Give the key in DIFFING_API_KEY instead"
        )
    return url


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
