"""One POST of JSON and its answer, bounded in time and size whatever the server does. Knows no protocol above HTTP."""

import time

import httpx2

from diffing.masking import masked
from diffing.models.json_text import UnreadableJsonError, read_json
from diffing.models.remote import Fault, date_of, retry_after
from diffing.models.surrogates import without_surrogates

_LARGEST_ANSWER = 8_000_000
"""Bytes; a server that sends more is broken or hostile: the longest answers that models write have a tenth of it."""
_LARGEST_ERROR = 200_000
"""Bytes of an error's body that are read; what comes after is not waited for."""


class HttpError(Exception):
    """An answer with an error status."""

    def __init__(self, status: int, text: str, retry_after: float | None = None) -> None:
        self.said = _message(text)
        """The sentence in it."""
        super().__init__(f"HTTP {status}: {self.said}" if text else f"HTTP {status}")
        self.status = status
        """The HTTP status."""
        self.text = text
        """What the server said: outside text, as it came."""
        self.retry_after = retry_after
        """Seconds the server asked us to wait, if it did."""


def post_json(
    client: httpx2.Client, url: str, body: object, timeout: float, headers: dict[str, str] | None = None
) -> object:
    """Sends one request, once; redirects are not followed, since whoever answers there was not asked.

    Args:
        client: Keeps the connections.
        url: Where to.
        body: What JSON can hold.
        timeout: Seconds for the whole answer.
        headers: Beside the client's own.

    Returns:
        The answer's JSON.

    Raises:
        HttpError: The answer has an error status, or is a redirect.
        Fault: There was no complete answer in time, too large a one, or none in JSON.
    """
    limits = httpx2.Timeout(timeout, connect=min(10.0, timeout))
    try:
        with client.stream("POST", url, json=body, headers=headers, timeout=limits, follow_redirects=False) as response:
            content = _content(response, time.monotonic() + timeout, timeout)
    except httpx2.TimeoutException:
        raise Fault(f"no answer within {timeout:g} s") from None
    except httpx2.RequestError as error:
        raise Fault(f"the connection failed ({type(error).__name__}: {error})") from None
    if not response.is_success:
        wait = retry_after(response.headers.get("retry-after"), date_of(response.headers.get("date")))
        raise HttpError(response.status_code, content.decode(errors="replace"), wait)
    if not content:
        raise Fault("the answer is empty")
    try:
        return read_json(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        problem = "UTF-8"
    except UnreadableJsonError as error:
        problem = "JSON" if str(error) == "no JSON" else f"JSON that can be read ({error})"
    # masked before it is cut to what is shown: half a secret is not found
    begins = masked(content[:_LARGEST_ERROR].decode(errors="replace"))[:60]
    raise Fault(f"the answer is not {problem} but begins with {begins!r}")


def get_text(client: httpx2.Client, url: str, timeout: float) -> str:
    """What a server has under an address, as text.

    Args:
        client: Keeps the connections.
        url: What is asked for.
        timeout: Seconds for the whole answer.

    Raises:
        HttpError: The answer has an error status.
        Fault: There was no complete answer in time, or too large a one.
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
        if time.monotonic() > deadline:  # the client's own timeout is per read: bytes may trickle for ever
            raise Fault(f"no complete answer within {timeout:g} s")
        if not response.is_success and len(content) > _LARGEST_ERROR:
            break
        if len(content) > _LARGEST_ANSWER:
            raise Fault(f"the answer is larger than {_LARGEST_ANSWER:,} bytes")
    return bytes(content)


def _message(text: str) -> str:
    """The sentence within an error's JSON, where servers of this protocol put it; else the text as it is."""
    try:
        told = read_json(text)
    except UnreadableJsonError:
        return text
    for key in ("error", "message", "detail"):
        if isinstance(told, dict) and told.get(key):
            told = told[key]
    return without_surrogates(told) if isinstance(told, str) else text
