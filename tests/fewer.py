"""Of many cases of one mechanism a few are run each time, all of them with `pytest -m slow`."""

from collections.abc import Collection, Iterable
from typing import Any

import pytest


def fewer(cases: Iterable[Any], kept: Collection[Any]) -> list[Any]:
    """The cases, those that are not kept marked as slow."""
    every = list(cases)
    unknown = [case for case in kept if case not in every]
    assert not unknown, f"no cases: {unknown}"
    return [case if case in kept else pytest.param(case, marks=pytest.mark.slow) for case in every]
