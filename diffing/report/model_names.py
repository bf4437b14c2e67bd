"""Short, distinct names for the two models of a report, for use in sentences.

A name may contain any printable text that a user wrote, so the caller must escape it for HTML, Markdown or a terminal.
"""

from dataclasses import dataclass

from diffing.types import SIDES, ModelInfo, Side

_NAME_LENGTH, _KEPT_END = 48, 16
"""Maximum length of a name, and how much of the end of a longer one is kept."""
_CUT = "…"
"""Stands for what is left out of a name."""
_READ = 400
"""Maximum number of characters of a name that are read."""
_BRIEF, _START, _END = 24, 14, 10
"""Lengths of names in headlines, and of what is kept of the start and the end of longer ones."""


@dataclass(frozen=True, slots=True)
class ModelNames:
    """Short names of the two models of a report; the two always differ."""

    a: str
    """The short name of model A."""
    b: str
    """The short name of model B."""

    def of(self, side: Side) -> str:
        """Returns the name of the model on one side."""
        return self.a if side == "a" else self.b

    @property
    def brief(self) -> "ModelNames":
        """The names for headlines: long ones without their middle parts, unless the two would be the same."""
        a, b = _brief(self.a), _brief(self.b)
        return self if a == b else ModelNames(a, b)

    @property
    def same_start(self) -> str:
        """What both brief names begin with, up to the parts that are left out of each; empty if there is no such text.

        Where there is little room it can be left out, as the rest tells the two apart.
        """
        (start_a, cut_a, _), (start_b, cut_b, _) = (name.partition(_CUT) for name in (self.brief.a, self.brief.b))
        return start_a if cut_a and cut_b and start_a == start_b else ""


def names_between(model_a: ModelInfo, model_b: ModelInfo) -> ModelNames:
    """Makes short names: the last part of each path, with the revision or with (A) and (B) added if they are equal."""
    infos = (model_a, model_b)
    plain = [_short_name(info) for info in infos]
    exact = [one_line(info.ref.short_at_revision, _NAME_LENGTH + 25) or info.role for info in infos]
    lettered = [f"{name} ({side.upper()})" for name, side in zip(plain, SIDES, strict=True)]
    return ModelNames(*next(names for names in (plain, exact, lettered) if names[0] != names[1]))


def _short_name(info: ModelInfo) -> str:
    name = one_line(info.ref.short, _READ)
    if len(name) > _NAME_LENGTH:  # what tells two long names apart is often at their ends
        name = f"{name[: _NAME_LENGTH - _KEPT_END - 1].rstrip()}{_CUT}{name[-_KEPT_END:].lstrip()}"
    return name or info.role.replace("_", " ")


def _brief(name: str) -> str:
    """Keeps whole parts at both ends, such as `SmolLM2-135M…Q4_1`, or letters if there are no parts."""
    if len(name) <= _BRIEF:
        return name
    start = name[: _START + 1].rpartition("-")[0] or name[:_START]
    end = name[-_END:].partition("-")[2] or name[-_END:]
    return f"{start}{_CUT}{end}"


def one_line(text: str, length: int) -> str:
    """Puts a text on one line, removes control characters, and cuts it to a length.

    Args:
        text: Any text.
        length: The largest number of characters, including the ellipsis.
    """
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= length else line[: length - 1].rstrip() + _CUT
