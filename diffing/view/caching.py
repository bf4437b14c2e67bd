"""Answers kept for a short while, for each visitor alone: a page asks the same with every key that is pressed."""

import hashlib
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
_MOST = 1000
"""Answers that are kept."""


def kept(seconds: float, answer: Callable[P, R], *, key: Callable[..., Hashable] | None = None) -> Callable[P, R]:
    """The function, whose results are kept; what it raises is not. Threads may share it.

    Args:
        seconds: How long a result is kept.
        answer: Asked for what is not kept; its last argument is the visitor.
        key: What tells questions apart; by default all arguments, and of the visitor its `key`: no token is kept.
    """
    from cachetools import TTLCache, cached  # comes with the extra `app`, which is asked for before this

    keeper = cached(TTLCache[Any, Any](_MOST, seconds), key=key or _without_token, lock=Lock())
    return keeper(answer)


def asker(token: str | None) -> str:
    """Whose answers these are, without their token: one visitor's private models are not another's."""
    return "" if token is None else hashlib.sha256(token.encode()).hexdigest()


def _without_token(*question: Any) -> Hashable:  # noqa: ANN401  whatever is asked
    *what, visitor = question
    return (*what, visitor.key)
