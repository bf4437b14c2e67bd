"""Translates what `spaces` raises when no GPU is lent into one line that says what to do.

`spaces` raises `gradio.Error` with a title and a message; `RuntimeError` if its scheduler answers something unexpected
or the visitor has left; and its HTTP client's own errors. An exception in the process with the GPU arrives as its class
name only. Source: spaces 0.51.3, zero/client.py and zero/wrappers.py.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from diffing.errors import LimitError

_LEFT = re.compile(r"\((\d+)s requested vs\. (\d+)s left\)")
_WAIT = re.compile(r"Try again in (?:(\d{1,4}) days?, )?(\d{1,4}):(\d\d):(\d\d)")
_TAG = re.compile(r"<[^<>]*>")
_OF_SPACES = (
    "ZeroGPU",
    "Connection closed by visitor",
    "Unexpected end of stream",
    "Error while re-trying after queue disconnect",
)
"""Prefixes of the `RuntimeError`s that `spaces` raises; any other is a bug of ours."""
_KEPT = "Answers so far are saved"


class NotLentError(LimitError):
    """No GPU was lent. Earlier responses are kept."""

    def __init__(self, message: str, *, share: float | None = None) -> None:
        super().__init__(message)
        self.share = share
        """The fraction of the requested time that is available; None if a shorter loan would be refused as well."""


@contextmanager
def one_line() -> Iterator[None]:
    """Turns refusals of a GPU into `NotLentError`.

    Raises:
        NotLentError: A GPU was refused.
    """
    import gradio as gr
    import httpx

    try:
        yield
    except gr.Error as error:
        raise refusal(str(getattr(error, "title", "")), str(error.message)) from None
    except httpx.HTTPError as error:
        raise NotLentError(
            f"ZeroGPU's scheduler cannot be reached ({type(error).__name__}). {_KEPT}: continue a little later"
        ) from None
    except RuntimeError as error:
        if not str(error).startswith(_OF_SPACES):
            raise
        raise NotLentError(f"No GPU was lent ({_plain(str(error))}). {_KEPT}: continue a little later") from None


def _duration(days: str | None, hours: str, minutes: str, seconds: str) -> str:
    """A time in words, rounded up to minutes, such as "3 hours and 12 minutes"."""
    total = (int(days or 0) * 24 + int(hours)) * 60 + int(minutes) + (int(seconds) > 0)
    parts = ((total // 60, "hour"), (total % 60, "minute"))
    said = [f"{number} {unit}{'s' if number > 1 else ''}" for number, unit in parts if number]
    return " and ".join(said) or "a moment"


def refusal(title: str, message: str) -> NotLentError:
    """Translates a `gradio.Error` of `spaces`.

    Args:
        title: The error's title, such as `ZeroGPU quota exceeded`.
        message: The message for the visitor.
    """
    left = _LEFT.search(message)
    share = int(left[2]) / int(left[1]) if left and int(left[1]) else None
    match title:
        case "ZeroGPU quota exceeded":
            wait = _WAIT.search(message)
            when = f"come back in {_duration(*wait.groups())}" if wait else "come back later"
            return NotLentError(
                f"Your ZeroGPU quota is used up. {_KEPT}: {when} and continue; signed-in visitors have a larger quota",
                share=share,
            )
        case "ZeroGPU pending credits exceeded":
            return NotLentError(
                f"Your other tasks are using your ZeroGPU credits. {_KEPT}: continue when they have ended"
            )
        case "ZeroGPU illegal duration":
            return NotLentError(
                f"ZeroGPU does not lend you a GPU for as long as one response takes. {_KEPT}: use fewer tokens per "
                "response, or a smaller model",
                share=0.5,
            )
        case "ZeroGPU queue timeout":
            return NotLentError(f"No GPU was free within a minute. {_KEPT}: continue a little later")
        case "ZeroGPU worker error":
            return NotLentError(
                f"The work on the GPU was interrupted ({_plain(message)}). {_KEPT}: continue to try again"
            )
        case _:
            return NotLentError(f"No GPU was lent ({_plain(message)}). {_KEPT}: continue a little later")


def _plain(message: str) -> str:
    return " ".join(_TAG.sub("", message).split())[:200].rstrip(".")
