"""`Stage`, one stage of a run such as judging, and the callback that is told how far a stage is."""

from collections.abc import Callable
from typing import Self, TypeAlias

from diffing.types.pairs import Side


class Stage(str):
    """One stage of a run; equal to its key as a string."""

    caption: str
    """The name of the stage in tables, in one or two words."""
    unit: str
    """What progress counts, in the singular, such as `prompt`; empty if nothing is counted."""
    side: Side | None
    """The side of the model that the stage belongs to; None if it belongs to neither."""

    __slots__ = ("caption", "side", "unit")

    def __new__(cls, key: str, caption: str = "", unit: str = "question", side: Side | None = None) -> Self:
        """Creates a stage.

        Args:
            key: The name under which reports store it.
            caption: Its name in tables; empty to use the key.
            unit: What progress counts, in the singular.
            side: The side of the model that it belongs to.
        """
        stage = super().__new__(cls, key)
        stage.caption, stage.unit, stage.side = caption or key, unit, side
        return stage

    @property
    def again(self) -> Self:
        """The stage for repeated questions, whose first replies could not be read."""
        return type(self)(f"{self}, asked again", f"{self.caption}, asked again", self.unit, self.side)


OnProgress: TypeAlias = Callable[[Stage, int, int], None]
"""Callback `on_progress(stage, done, total)`; `total` is 0 if it is not known beforehand."""


def ignore_progress(stage: Stage, done: int, total: int) -> None:
    """A progress callback that does nothing."""
