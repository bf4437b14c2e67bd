"""Builds the `diffing run` command that reproduces a report from its stored settings."""

import shlex
from collections.abc import Mapping

from diffing.model_ref import ModelRef, read_ref
from diffing.run_settings import as_stored
from diffing.settings import flag
from diffing.types import Report, Scalar

_SEVERAL = ("corpus", "depth", "domain", "method", "rater")
"""Settings that can be given several times; a report joins their values with commas."""


def command_of(report: Report) -> str | None:
    """Returns the command, with both models pinned to their commits; None if settings alone cannot reproduce the run.

    The command contains every setting, also those with default values, because defaults may change.

    Args:
        report: The report to reproduce.
    """
    settings = as_stored(report.settings)
    if not {"model_a", "model_b"} <= settings.keys():
        return None
    models = [
        _pinned(str(settings.pop(key)), info.ref)
        for key, info in (("model_a", report.model_a), ("model_b", report.model_b))
    ]
    return shlex.join(["diffing", "run", *models, *flags_of(settings)])


def flags_of(settings: Mapping[str, Scalar]) -> list[str]:
    """Returns settings as the arguments of a command.

    Args:
        settings: Settings by name; several values of one setting are joined as in a report.
    """
    return [word for name, value in settings.items() for word in _flag(name, value)]


def _pinned(spec: str, found: ModelRef) -> str:
    return str(read_ref(spec).pinned_to(found) or spec)


def _flag(name: str, value: Scalar) -> list[str]:
    spelt = flag(name)
    if isinstance(value, bool):
        return [spelt] if value else []
    return [word for each in (str(value).split(", ") if name in _SEVERAL else [str(value)]) for word in (spelt, each)]
