"""Sends one HTTP request (POST of JSON, or GET of text) and reads the answer, with limits on time and size."""

import time

import httpx2

from diffing.masking import masked
from diffing.models.json_text import UnreadableJsonError, read_json
from diffing.models.remote import TransientError, date_of, retry_after
from diffing.models.surrogates import without_surrogates

_LARGEST_ANSWER = 8_000_000
"""Maximum size of an answer in bytes, ten times that of the longest answers of models."""
_LARGEST_ERROR = 200_000
"""Maximum number of bytes that are read from the body of an error."""


class HttpError(Exception):
    """An answer with an error status."""

    def __init__(self, status: int, text: str, retry_after: float | None = None) -> None:
        self.said = _message(text)
        """The error message within the body."""
        super().__init__(f"HTTP {status}: {self.said}" if text else f"HTTP {status}")
        self.status = status
        """The HTTP status."""
        self.text = text
        """The body as the server sent it; untrusted."""
        self.retry_after = retry_after
        """Seconds that the server asked to wait; None if it did not."""


def post_json(
    client: httpx2.Client, url: str, body: object, timeout: float, headers: dict[str, str] | None = None
) -> object:
    """Sends one POST request, once, without following redirects, which could lead to a server that was not chosen.

    Args:
        client: The HTTP client, which keeps the connections.
        url: The address.
        body: The body, a JSON-serialisable value.
        timeout: Seconds for the whole answer.
        headers: Headers in addition to those of the client.

    Returns:
        The answer's JSON.

    Raises:
        HttpError: The answer has an error status, or is a redirect.
        TransientError: The answer did not arrive completely in time, is too large, or is not JSON.
    """
    limits = httpx2.Timeout(timeout, connect=min(10.0, timeout))
    try:
        with client.stream("POST", url, json=body, headers=headers, timeout=limits, follow_redirects=False) as response:
            content = _content(response, time.monotonic() + timeout, timeout)
    except httpx2.TimeoutException:
        raise TransientError(f"no answer within {timeout:g} s") from None
    except httpx2.RequestError as error:
        raise TransientError(f"the connection failed ({type(error).__name__}: {error})") from None
    if not response.is_success:
        wait = retry_after(response.headers.get("retry-after"), date_of(response.headers.get("date")))
        raise HttpError(response.status_code, content.decode(errors="replace"), wait)
    if not content:
        raise TransientError("the answer is empty")
    try:
        return read_json(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        problem = "UTF-8"
    except UnreadableJsonError as error:
        problem = "JSON" if str(error) == "no JSON" else f"JSON that can be read ({error})"
    # masked before it is shortened, since half a secret is not recognised
    begins = masked(content[:_LARGEST_ERROR].decode(errors="replace"))[:60]
    raise TransientError(f"the answer is not {problem} but begins with {begins!r}")


def get_text(client: httpx2.Client, url: str, timeout: float) -> str:
    """Fetches the text at an address with a GET request.

    Args:
        client: The HTTP client, which keeps the connections.
        url: The address.
        timeout: Seconds for the whole answer.

    Raises:
        HttpError: The answer has an error status.
        TransientError: The answer did not arrive completely in time, or is too large.
        httpx2.HTTPError: The server cannot be reached.
    """
    with client.stream("GET", url, timeout=timeout) as response:
        content = _content(response, time.monotonic() + timeout, timeout).decode(errors="replace")
    if not response.is_success:
        raise HttpError(response.status_code, content)
    return content


def _content(response: httpx2.Response, deadline: float, timeout: float) -> bytes:
    content = bytearray()
    for chunk in response.iter_bytes():
        content += chunk
        if time.monotonic() > deadline:  # the client's own timeout is per read, so a slow trickle would never end
            raise TransientError(f"no complete answer within {timeout:g} s")
        if not response.is_success and len(content) > _LARGEST_ERROR:
            break
        if len(content) > _LARGEST_ANSWER:
            raise TransientError(f"the answer is larger than {_LARGEST_ANSWER:,} bytes")
    return bytes(content)


def _message(text: str) -> str:
    """The error message within an error's JSON, in the usual fields of this protocol; else the whole text."""
    try:
        value = read_json(text)
    except UnreadableJsonError:
        return text
    for key in ("error", "message", "detail"):
        if isinstance(value, dict) and value.get(key):
            value = value[key]
    return without_surrogates(value) if isinstance(value, str) else text
