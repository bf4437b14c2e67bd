"""The stages of a run, by which progress, usage and estimates are listed. Methods add their own."""

from collections.abc import Mapping
from dataclasses import dataclass

from diffing.types import SIDES, Side, Stage


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of a run, or several, as the page of a run lists them."""

    title: str
    """A few words; of a side, what follows the model's name."""
    says: str
    """One sentence on what is done."""
    stages: tuple[Stage, ...] = ()
    """The stages that belong to it, in their order."""
    short: bool = False
    """Whether it takes seconds, however large the run is."""

    @property
    def unit(self) -> str:
        """What is counted; empty if nothing is."""
        return self.stages[0].unit if self.stages else ""

    @property
    def side(self) -> Side | None:
        """The model whose name the title begins with."""
        return self.stages[0].side if self.unit else None


def _of_sides(name: str, caption: str, unit: str) -> Mapping[Side, Stage]:
    return {side: Stage(f"{name} {side}", f"{caption} {side.upper()}", unit, side) for side in SIDES}


ACCESS = Stage("access", "Access", "")
PREPARE = Stage("prepare", "Preparation", "")
WEIGHTS = _of_sides("weights", "Weights of", "")
GPU = _of_sides("gpu", "GPU for", "")
WRITE_PROMPTS = Stage("write prompts", "Prompts")
POOL = _of_sides("pool", "Pool of", "prompt")
RESPONSES = _of_sides("responses", "Responses of", "prompt")
TOKENS = _of_sides("tokens", "Tokens of", "token")
"""Told beside `RESPONSES` and `POOL`: what a model has written so far."""
JUDGE = Stage("judge", "Verdicts")
CHECK_JUDGE = Stage("check judge", "Judge's check")
SECOND_JUDGE = Stage("second judge", "Second judge")
RATE_INTERESTINGNESS = Stage("rate interestingness", "Ratings: interest")
RATE_ABSTRACTION = Stage("rate abstraction", "Ratings: abstraction")
MERGE = Stage("merge", "Merging")
