"""Caches results for a short time, per visitor, because the page repeats its questions at every key press."""

import hashlib
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
_MOST = 1000
"""Maximum number of results in one cache."""


def cached_per_visitor(
    seconds: float, answer: Callable[P, R], *, key: Callable[..., Hashable] | None = None
) -> Callable[P, R]:
    """Wraps a function with a cache whose entries expire; exceptions are not cached. The wrapper is thread-safe.

    Args:
        seconds: How long a result stays in the cache.
        answer: The function to wrap. Its last argument is the visitor.
        key: Computes the cache key from the arguments. By default the key holds all arguments, but `visitor.key` in
            place of the visitor, so that no token is stored.
    """
    from cachetools import TTLCache, cached  # from the extra `app`, whose presence `open_site` checks

    keeper = cached(TTLCache[Any, Any](_MOST, seconds), key=key or _without_token, lock=Lock())
    return keeper(answer)


def token_digest(token: str | None) -> str:
    """A digest that tells visitors apart without storing their tokens.

    It keeps one visitor's private models out of the results of another.
    """
    return "" if token is None else hashlib.sha256(token.encode()).hexdigest()


def _without_token(*question: Any) -> Hashable:  # noqa: ANN401  whatever is asked
    *what, visitor = question
    return (*what, visitor.key)
