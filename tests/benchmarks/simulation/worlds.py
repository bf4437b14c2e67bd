"""Simulates runs: hypotheses of known truth, and what a judge says about them. There is no model and no text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from diffing.types import Split

Verdicts: TypeAlias = NDArray[np.int8]
"""Hypotheses x prompts: 1 for the predicted side, -1 for the other, 0 for neither."""

BATCH = 10
"""Hypotheses per question to the judge, as in the papers. With more, fewer questions remain to be saved."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many prompts a run has."""

    train: int
    """Train prompts."""
    heldout: int
    """Held-out prompts."""


@dataclass(frozen=True, slots=True)
class Correlation:
    """How alike the hypotheses of a run decide a prompt: a Gaussian copula with one common factor per prompt."""

    rho: float = 0.0
    """Correlation of the latent normals of two hypotheses, 0 to 1."""
    mirrored: bool = False
    """Every second hypothesis says the opposite: its verdicts are turned."""

    @property
    def in_words(self) -> str:
        """For a table."""
        return f"{self.rho:g}{', half mirrored' if self.mirrored else ''}" if self.rho else "none"


INDEPENDENT = Correlation()
"""No correlation."""


@dataclass(frozen=True, slots=True)
class Truths:
    """What holds of each hypothesis of a run; arrays of shape (hypotheses,)."""

    frequency: NDArray[np.float64]
    """Share of prompts that are decided."""
    accuracy: NDArray[np.float64]
    """Share of these that are for the predicted side; 0.5 is a null."""

    @property
    def net(self) -> NDArray[np.float64]:
        """True net difference."""
        return self.frequency * (2 * self.accuracy - 1)


def nulls(hypotheses: int, frequency: float) -> Truths:
    """Hypotheses of which none holds."""
    return Truths(np.full(hypotheses, frequency), np.full(hypotheses, 0.5))


def draw(truths: Truths, prompts: int, correlation: Correlation, rng: np.random.Generator) -> Verdicts:
    """What is true of every prompt.

    Args:
        truths: Of the hypotheses.
        prompts: How many.
        correlation: Between hypotheses, within a prompt; prompts are independent.
        rng: Draws.

    Returns:
        Verdicts of a judge that makes no mistake.
    """
    from scipy.special import ndtri

    shape = (len(truths.frequency), prompts)
    for_it, against = (truths.frequency * part for part in (truths.accuracy, 1 - truths.accuracy))
    if correlation.rho == 0:
        # whole numbers are drawn several times faster than normals
        place = rng.integers(0, _PLACES, shape, dtype=np.uint16)
        first, last = (np.rint(part * _PLACES).astype(np.int32)[:, None] for part in (for_it, against))
        return (place < first).astype(np.int8) - (place >= _PLACES - last).astype(np.int8)
    common = rng.standard_normal(prompts, dtype=np.float32)
    own = rng.standard_normal(shape, dtype=np.float32)
    latent = np.float32(np.sqrt(1 - correlation.rho)) * own + np.float32(np.sqrt(correlation.rho)) * common
    if correlation.mirrored:
        latent[1::2] *= -1
    low, high = (ndtri(part).astype(np.float32)[:, None] for part in (for_it, against))
    return (latent < low).astype(np.int8) - (-latent < high).astype(np.int8)


_PLACES = 2**16
"""Values of 16 bits."""

JudgeKind: TypeAlias = Literal["fair", "first place", "errs"]
FIRST_PLACE = 0.7
"""In this share of its questions the biased judge answers the response shown first, whatever they say."""
ERRORS = 0.15
"""This share of the careless judge's verdicts is drawn from its three answers."""


class SimulatedJudge:
    """Answers questions of up to ten hypotheses about the truth of one run, and counts them.

    The order of the responses is a coin per question, as in `diffing.judge`; half of the hypotheses speak about either
    side, so that an answer for the first place is for the prediction of some and against that of others.
    """

    def __init__(self, kind: JudgeKind, truth: dict[Split, Verdicts], rng: np.random.Generator) -> None:
        self.questions = 0
        """Asked so far."""
        self._kind = kind
        self._truth = truth
        self._rng = rng
        self._sides = np.where(rng.random(len(truth["train"])) < 0.5, 1, -1).astype(np.int8)

    def ask(self, split: Split, active: Sequence[int], start: int, stop: int) -> Verdicts:
        """Verdicts on some hypotheses for the prompts of a split from one up to another."""
        rows = np.asarray(active, dtype=np.int64)
        told = self._truth[split][rows, start:stop]
        groups = np.arange(len(rows)) // BATCH
        questions = int(groups[-1]) + 1 if len(rows) else 0
        self.questions += questions * (stop - start)
        if self._kind == "first place":
            coin = np.where(self._rng.random((questions, stop - start)) < 0.5, 1, -1).astype(np.int8)[groups]
            blind = (self._rng.random((questions, stop - start)) < FIRST_PLACE)[groups]
            return np.where(blind, coin * self._sides[rows][:, None], told)
        if self._kind == "errs":
            drawn = self._rng.integers(-1, 2, told.shape, dtype=np.int8)
            return np.where(self._rng.random(told.shape) < ERRORS, drawn, told)
        return told
