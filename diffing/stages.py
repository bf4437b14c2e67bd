"""Names the stages that all methods share, for progress, usage and estimates; `ListedStep` groups them for display.

Methods add stages of their own. A stage is a string, the key under which reports store it, so that reports of earlier
versions load unchanged.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from diffing.types import SIDES, Side, Stage


@dataclass(frozen=True, slots=True)
class ListedStep:
    """One line in the list of steps on a run's page, which stands for one or several stages."""

    title: str
    """A title of a few words; for a step of one side, the page puts the model's name before it."""
    says: str
    """One sentence on what happens in the step."""
    stages: tuple[Stage, ...] = ()
    """The stages of the step, in order."""
    short: bool = False
    """Whether the step takes only seconds, however large the run is."""

    @property
    def unit(self) -> str:
        """What progress counts; empty if nothing is counted."""
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
AMPLIFIED = _of_sides("amplified responses", "Amplified responses of", "prompt")
"""Both models answer the train prompts with their differences amplified, to look for hypotheses."""
TOKENS = _of_sides("tokens", "Tokens of", "token")
"""Reported in addition to the stages in which a model answers prompts: the number of tokens it has generated so far."""
SCOPE = Stage("scope", "Conditions")
"""The judge decides which prompts are in the scopes of hypotheses."""
WRITE_FRESH = Stage("write fresh prompts", "Fresh prompts")
FRESH_SCOPE = Stage("fresh scope", "Conditions of fresh prompts")
FRESH = _of_sides("fresh responses", "Fresh responses of", "prompt")
"""Both models answer the prompts that were written for conditions of hypotheses."""
JUDGE = Stage("judge", "Verdicts")
CHECK_JUDGE = Stage("check judge", "Judge's check")
SECOND_JUDGE = Stage("second judge", "Second judge")
RATE_INTERESTINGNESS = Stage("rate interestingness", "Ratings: interest")
RATE_ABSTRACTION = Stage("rate abstraction", "Ratings: abstraction")
MERGE = Stage("merge", "Merging")
REPEAT = Stage("repeat", "Repeats with other seeds")
"""Progress of all stages that are repeated with other seeds; usage counts these apart (`stability.repeated`)."""
