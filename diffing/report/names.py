"""Short names of the two models of a report. Knows no file.

A name still holds what users wrote: escaping it for HTML, Markdown or a terminal is the caller's duty.
"""

import re
from dataclasses import dataclass

from diffing.types import SIDES, ModelInfo, Side

_PREFIX = re.compile(r"^(recorded|providers|openai|scripted|local):")
_FILE_ENDING = re.compile(r"\.(jsonl|json|csv|parquet|gguf)$")
_COMMIT = re.compile(r"[0-9a-f]{12,64}")
_NAME_LENGTH = 48


@dataclass(frozen=True, slots=True)
class Names:
    """What the two models of a report are called in sentences; never equal."""

    a: str
    """Short name of model A."""
    b: str
    """Short name of model B."""

    def of(self, side: Side) -> str:
        """The name of one side."""
        return self.a if side == "a" else self.b


def names_between(model_a: ModelInfo, model_b: ModelInfo) -> Names:
    """Short names: the last part of the path; where these are equal with the revision, else with A and B alone."""
    infos = (model_a, model_b)
    plain = [_short_name(info) for info in infos]
    exact = [_with_revision(name, info) for name, info in zip(plain, infos, strict=True)]
    lettered = [f"{name} ({side.upper()})" for name, side in zip(plain, SIDES, strict=True)]
    return Names(*next(names for names in (plain, exact, lettered) if names[0] != names[1]))


def _short_name(info: ModelInfo) -> str:
    """`providers:org/name:provider@sha` -> `name`; `org/base+org/adapter` -> `base+adapter`."""
    path = info.published_as.split("@", 1)[0]
    if path.startswith("providers:"):
        path = path.removeprefix("providers:").split(":", 1)[0]
    path = _PREFIX.sub("", path)
    name = "+".join(part.rstrip("/").rsplit("/", 1)[-1] for part in path.split("+"))
    return one_line(_FILE_ENDING.sub("", name), _NAME_LENGTH) or info.role.replace("_", " ")


def _with_revision(name: str, info: ModelInfo) -> str:
    revision = info.published_as.partition("@")[2]
    revision = revision[:7] if _COMMIT.fullmatch(revision) else one_line(revision, 24)
    return f"{name}@{revision}" if revision else name


def one_line(text: str, length: int) -> str:
    """The text on one line without control characters, cut to a length.

    Args:
        text: Any text.
        length: Characters at most, the ellipsis included.
    """
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"
