"""Whatever `spaces` raises where no GPU is lent, as one line that says what to do.

It raises `gradio.Error` with a title and a message, `RuntimeError` where its scheduler answers something unexpected or
the visitor has left, and its client's own errors. Of what happens in the process with the GPU only the class's name
comes back. Source: spaces 0.51.3, zero/client.py and zero/wrappers.py.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from diffing.errors import LimitError

_LEFT = re.compile(r"\((\d+)s requested vs\. (\d+)s left\)")
_WAIT = re.compile(r"Try again in ((?:\d+ days?, )?\d+:\d\d:\d\d)")
_TAG = re.compile(r"<[^>]*>")
_OF_SPACES = (
    "ZeroGPU",
    "Connection closed by visitor",
    "Unexpected end of stream",
    "Error while re-trying after queue disconnect",
)
"""Beginnings of its `RuntimeError`s; any other is a bug of ours."""
_KEPT = "What was answered is kept"


class NotLentError(LimitError):
    """No GPU was lent; what was answered is kept."""

    def __init__(self, message: str, *, share: float | None = None) -> None:
        super().__init__(message)
        self.share = share
        """Of the time asked for, so much could be had; None where another loan would not be granted either."""


@contextmanager
def one_line() -> Iterator[None]:
    """Has refusals of a GPU come as `NotLentError`.

    Raises:
        NotLentError: In place of them.
    """
    import gradio as gr
    import httpx

    try:
        yield
    except gr.Error as error:
        raise refusal(str(getattr(error, "title", "")), str(error.message)) from None
    except httpx.HTTPError as error:
        raise NotLentError(
            f"ZeroGPU's scheduler cannot be reached ({type(error).__name__}). {_KEPT}: go on a little later"
        ) from None
    except RuntimeError as error:
        if not str(error).startswith(_OF_SPACES):
            raise
        raise NotLentError(f"No GPU was lent ({_plain(str(error))}). {_KEPT}: go on a little later") from None


def refusal(title: str, message: str) -> NotLentError:
    """The error for what `spaces` told.

    Args:
        title: Its kind, such as `ZeroGPU quota exceeded`.
        message: What it says to the visitor.
    """
    left = _LEFT.search(message)
    share = int(left[2]) / int(left[1]) if left and int(left[1]) else None
    match title:
        case "ZeroGPU quota exceeded":
            wait = _WAIT.search(message)
            when = f"come back in {wait[1]} (hours:minutes:seconds)" if wait else "come back later"
            return NotLentError(
                f"Your ZeroGPU quota is used up. {_KEPT}: {when} and go on; signed in, the quota is larger", share=share
            )
        case "ZeroGPU pending credits exceeded":
            return NotLentError(f"Other tasks of yours hold your ZeroGPU credits. {_KEPT}: go on when they have ended")
        case "ZeroGPU illegal duration":
            return NotLentError(
                f"ZeroGPU lends you no GPU for as long as one answer takes. {_KEPT}: take fewer tokens per "
                "response, or a smaller model",
                share=0.5,
            )
        case "ZeroGPU queue timeout":
            return NotLentError(f"No GPU was free within a minute. {_KEPT}: go on a little later")
        case "ZeroGPU worker error":
            return NotLentError(f"The work on the GPU broke off ({_plain(message)}). {_KEPT}: go on to try again")
        case _:
            return NotLentError(f"No GPU was lent ({_plain(message)}). {_KEPT}: go on a little later")


def _plain(message: str) -> str:
    return " ".join(_TAG.sub("", message).split())[:200].rstrip(".")
