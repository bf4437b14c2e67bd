"""Measures hypotheses of the SAE method on pairs by which latents are active in which response."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from diffing.methods.base import Measurements
from diffing.methods.sae.feature_evidence import ReadPair, latent_measure
from diffing.types import Hypothesis, Judgement, Measure, Pair, Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

JUDGE = "measured"
"""The value of `Judgement.judge` in all verdicts of this method."""


def measure_latents(
    hypotheses: Sequence[Hypothesis], pairs: Sequence[Pair], read: Mapping[str, ReadPair]
) -> Measurements:
    """Returns the verdicts, and as values 1 for a response in which one of a hypothesis's latents is active, else 0.

    Args:
        hypotheses: Hypotheses of this method.
        pairs: The pairs.
        read: By prompt id, the pairs of which both responses could be read.

    Raises:
        ValueError: A hypothesis comes from another method.
    """
    import numpy as np

    judgements: list[Judgement] = []
    values: dict[Measure, NDArray[np.float64]] = {}
    for hypothesis in hypotheses:
        measure = latent_measure(hypothesis)
        active = [_active(measure.indices, read.get(pair.prompt.id)) for pair in pairs]
        for pair, both in zip(pairs, active, strict=True):
            judgements.append(Judgement(hypothesis.id, pair.prompt.id, _verdict(both), JUDGE))
        values[measure] = np.array([both or (None, None) for both in active], dtype=float).reshape(-1, 2).T
    return Measurements(judgements, values)


def _active(latents: Sequence[int], pair: ReadPair | None) -> tuple[bool, bool] | None:
    """Tells for both sides whether any of the latents is active; None if a response could not be read."""
    if pair is None:
        return None
    a, b = (any(side.value(latent) > 0 for latent in latents) for side in (pair.a, pair.b))
    return a, b


def _verdict(active: tuple[bool, bool] | None) -> Verdict:
    if active is None:
        return Verdict.UNREADABLE
    a, b = active
    if a == b:
        return Verdict.NEITHER
    return Verdict.A if a else Verdict.B
