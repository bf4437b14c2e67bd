"""Short, distinct names for several models."""

from collections.abc import Sequence

from diffing.report.model_names import one_line
from diffing.types import ModelInfo

_LENGTH = 48
_ENOUGH = 3
"""From this number of models on, what all names have in common is left out."""


def distinct_names(models: Sequence[ModelInfo]) -> tuple[str, ...]:
    """Makes short names: the last part of each path, with the revision or with a number added if two are equal.

    Of three models or more, whole words that all names begin or end with are left out: `pythia-sft-steps` becomes
    `sft` beside `pythia-rlhf-steps` and `pythia-dpo-steps`.

    Args:
        models: The models.
    """
    plain = [one_line(each.ref.short, _LENGTH) or "model" for each in models]
    exact = [one_line(each.ref.short_at_revision, _LENGTH + 25) or "model" for each in models]
    numbered = [f"{name} ({number})" for number, name in enumerate(plain, 1)]
    candidates = [plain, exact, numbered]
    if len(models) >= _ENOUGH:
        candidates.insert(0, _without_common_words(plain))
    return tuple(next(names for names in candidates if len(set(names)) == len(names) and all(names)))


def _without_common_words(names: Sequence[str]) -> list[str]:
    """The names without the words that all begin with, and those that all end with; words end at `-` or `_`."""
    begun = _shared(names)
    turned = [name[begun:][::-1] for name in names]
    ended = _shared(turned)
    return [name[ended:][::-1] for name in turned]


def _shared(names: Sequence[str]) -> int:
    """The number of characters of the whole words that all names begin with."""
    signs = enumerate(zip(*names, strict=False))
    length = next((place for place, own in signs if len(set(own)) > 1), min(map(len, names)))
    return max(names[0].rfind(separator, 0, length) for separator in "-_") + 1
