"""Short, distinct names for several models."""

from collections.abc import Sequence

from diffing.report.model_names import one_line
from diffing.types import ModelInfo

_LENGTH = 48


def distinct_names(models: Sequence[ModelInfo]) -> tuple[str, ...]:
    """Makes short names: the last part of each path, with the revision or with a number added if two are equal.

    Args:
        models: The models.
    """
    plain = [one_line(each.ref.short, _LENGTH) or "model" for each in models]
    exact = [one_line(each.ref.short_at_revision, _LENGTH + 25) or "model" for each in models]
    numbered = [f"{name} ({number})" for number, name in enumerate(plain, 1)]
    return tuple(next(names for names in (plain, exact, numbered) if len(set(names)) == len(names)))
