"""Compares the names of models, as users, reports and the files of published crosscoders have them."""

import re
from collections.abc import Sequence

from diffing.errors import SettingError

_VERSION = re.compile(r"[@#][^+]*")
"""The revision, the commit or the data type behind a model's name."""


def parse_models(text: str) -> tuple[str, str]:
    """Parses the value of `--crosscoder-models`.

    Raises:
        SettingError: It does not hold two names.
    """
    names = [name.strip() for name in text.split(",")]
    if len(names) != 2 or not all(names):
        raise SettingError(
            f"--crosscoder-models is {text!r:.100}: expected the crosscoder's two models in its own order, such as "
            "org/base,org/tuned"
        )
    return names[0], names[1]


def same(names: Sequence[str], others: Sequence[str]) -> bool:
    """Whether two pairs of names are the same models, in the same order."""
    return all(_matches(one, other) for one, other in zip(names, others, strict=True))


def _matches(one: str, other: str) -> bool:
    """Whether two names are the same model, whatever its revision; one without an owner is compared without."""
    one, other = (_VERSION.sub("", name).strip().lower().rstrip("/") for name in (one, other))
    return one == other or (("/" in one) != ("/" in other) and short(one) == short(other))


def short(name: str) -> str:
    """Returns a model's name without owner and revision."""
    return _VERSION.sub("", name).strip().lower().rstrip("/").rpartition("/")[2]


def both(names: Sequence[str]) -> str:
    """Returns two names for a message."""
    return " and ".join(f"{name:.100}" for name in names)
