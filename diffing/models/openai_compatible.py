"""Models behind any OpenAI-compatible server (vLLM, TGI, llama.cpp, Ollama, hosted): `/chat/completions`, nothing else.

It does not know which weights a server holds: the model's id is its name and the server's address.
"""

import ipaddress
import json
import os
import time
from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar

import httpx2

from diffing.errors import SettingError
from diffing.models.chat import Body, ChatModel, HttpError
from diffing.models.remote import Effort, Fault, retry_after

_LARGEST_ANSWER = 32_000_000
"""Bytes; a server that sends more is broken or hostile."""
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
    """What to do about a permanent error, by HTTP status."""

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
        """Checks the address; connects to nothing yet.

        Args:
            name: The model's name on the server.
            base_url: Up to, not including, `/chat/completions`.
            api_key: Sent as a bearer token; None takes DIFFING_API_KEY or OPENAI_API_KEY from the environment.
            concurrency: Requests at a time.
            timeout: Seconds to wait for one answer.
            attempts: Attempts per request.

        Raises:
            SettingError: The name is empty, the address is no URL, or the key cannot be sent.
        """
        if not name.strip():
            raise SettingError("An openai: model needs the name it has on the server, for example openai:qwen2.5-7b")
        address = _base_url(base_url)
        self._url = f"{address.scheme}://{address.netloc.decode('ascii')}{address.path.rstrip('/')}"
        self._here = _is_loopback(address.host)
        key = (api_key or next(filter(None, map(os.environ.get, _KEY_VARIABLES)), "")).strip()
        if not (key.isascii() and key.isprintable()):
            raise SettingError("The API key holds characters that no key has: copy it again, without line breaks")
        effort = Effort(concurrency=concurrency, timeout=timeout, attempts=attempts)
        super().__init__(f"openai:{name}@{self._url.partition('://')[2]}", name, effort=effort, secret=key or None)
        self._effort = effort

    @cached_property
    def _client(self) -> httpx2.Client:
        return httpx2.Client(
            headers={"Authorization": f"Bearer {self._secret}"} if self._secret else {},
            timeout=httpx2.Timeout(self._effort.timeout, connect=min(10.0, self._effort.timeout)),
            limits=httpx2.Limits(max_connections=self._effort.concurrency),
            trust_env=not self._here,  # no proxy leads to this machine
            verify=self._url.startswith("https:"),  # plain http has no certificates, and loading them takes time
        )

    def _send(self, body: Body) -> object:
        deadline = time.monotonic() + self._effort.timeout
        try:
            with self._client.stream("POST", f"{self._url}/chat/completions", json=body) as response:
                content = bytearray()
                for chunk in response.iter_bytes():
                    content += chunk
                    if time.monotonic() > deadline:  # the client's own timeout is per read: bytes may trickle for ever
                        raise Fault(f"no complete answer within {self._effort.timeout:g} s")
                    if len(content) > _LARGEST_ANSWER:
                        raise Fault(f"the answer is larger than {_LARGEST_ANSWER:,} bytes")
        except httpx2.TimeoutException:
            raise Fault(f"no answer within {self._effort.timeout:g} s") from None
        except httpx2.RequestError as error:
            raise Fault(f"the connection failed ({type(error).__name__}: {error})") from None
        text = content.decode(errors="replace")
        if not response.is_success:
            raise HttpError(response.status_code, text, retry_after(response.headers.get("retry-after")))
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise Fault(f"the answer is not JSON but begins with {text[:60]!r}") from None


def _base_url(given: str) -> httpx2.URL:
    """The address, checked and in one form: with scheme, without a slash or `/chat/completions` at its end."""
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
