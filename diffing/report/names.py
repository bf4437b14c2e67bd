"""Short names of the two models of a report. Knows no file.

A name still holds what users wrote: escaping it for HTML, Markdown or a terminal is the caller's duty.
"""

from dataclasses import dataclass

from diffing.types import SIDES, ModelInfo, Side

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
    exact = [one_line(info.ref.short_at_revision, _NAME_LENGTH + 25) or info.role for info in infos]
    lettered = [f"{name} ({side.upper()})" for name, side in zip(plain, SIDES, strict=True)]
    return Names(*next(names for names in (plain, exact, lettered) if names[0] != names[1]))


def _short_name(info: ModelInfo) -> str:
    return one_line(info.ref.short, _NAME_LENGTH) or info.role.replace("_", " ")


def one_line(text: str, length: int) -> str:
    """The text on one line without control characters, cut to a length.

    Args:
        text: Any text.
        length: Characters at most, the ellipsis included.
    """
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"
