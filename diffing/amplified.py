"""Has both models answer the train prompts with their differences amplified, to look for rare ones.

Amplified answers suggest hypotheses and nothing else: every verdict, share and quotation is from the models' own
answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from diffing.models.base import Model, Sampling
from diffing.responses import answer, usage_of
from diffing.stages import AMPLIFIED
from diffing.types import SIDES, OnProgress, Pair, Prompt, Response, Usage


@dataclass(frozen=True, slots=True)
class Amplified:
    """Both models with their differences amplified."""

    models: tuple[Model, Model]
    """A, moved away from B, and B, moved away from A."""
    alpha: float
    """How far they are moved: their scores of a token are `own + alpha * (own - other)`."""


@dataclass(frozen=True, slots=True)
class AmplifiedAnswers:
    """The amplified answers to the train prompts."""

    alpha: float
    """How far the models were moved away from each other."""
    pairs: tuple[Pair, ...]
    """Every train prompt that both amplified models answered."""
    usage: tuple[Usage, ...]
    """The calls and tokens of each side."""

    def note(self, found: int, confirmed: int) -> str:
        """What was amplified, and what came of it, for the reader of the report.

        Args:
            found: The number of hypotheses that only the amplified answers suggested.
            confirmed: How many of these are confirmed.
        """
        suggested = "1 more hypothesis" if found == 1 else f"{found} more hypotheses"
        return (
            f"Hypotheses were also looked for in amplified answers to {len(self.pairs)} train prompts, in which the "
            f"differences of the two models are larger (alpha {self.alpha:g}). These suggested {suggested}, of which "
            f"{confirmed} {'is' if confirmed == 1 else 'are'} confirmed. Every verdict, share and quotation is from "
            "answers that were not amplified."
        )


def answer_amplified(
    amplified: Amplified,
    prompts: Sequence[Prompt],
    sampling: Sampling,
    samples: tuple[int, int],
    on_progress: OnProgress,
) -> AmplifiedAnswers:
    """Has both amplified models answer the train prompts.

    Args:
        amplified: The models.
        prompts: All prompts; held-out prompts are never answered so.
        sampling: The sampling parameters of the models' own answers.
        samples: The sample numbers of A and of B.
        on_progress: Called with the progress of both sides.

    Raises:
        ModelError: The models cannot be amplified.
    """
    train = [prompt for prompt in prompts if prompt.split == "train"]
    a, b = (
        answer(model, train, replace(sampling, sample=sample), AMPLIFIED[side], on_progress)
        for model, sample, side in zip(amplified.models, samples, SIDES, strict=True)
    )
    ids = [model.id for model in amplified.models]
    pairs = tuple(
        Pair(prompt, Response.of(prompt, ids[0], one, samples[0]), Response.of(prompt, ids[1], other, samples[1]))
        for prompt, one, other in zip(train, a, b, strict=True)
        if not {one.finish, other.finish} & {"rejected", "error"}
    )
    usage = tuple(
        usage_of(AMPLIFIED[side], model, answers)
        for side, model, answers in zip(SIDES, amplified.models, (a, b), strict=True)
    )
    return AmplifiedAnswers(amplified.alpha, pairs, usage)
