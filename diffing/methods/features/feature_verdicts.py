"""Measures hypotheses about sparse features: in which responses one of a hypothesis's latents is active."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from diffing.methods.base import Measurements
from diffing.methods.features.read_pairs import ReadPair
from diffing.methods.features.sparse_latents import Latents
from diffing.types import Hypothesis, Judgement, Measure, Pair, Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

JUDGE = "measured"
"""The value of `Judgement.judge` in all verdicts."""
IsActive: TypeAlias = Callable[[Latents], bool]
"""Tells from the latents of a response whether one of those that a hypothesis is about is active in it."""


def measure_features(
    hypotheses: Sequence[tuple[Hypothesis, Measure, IsActive]], pairs: Sequence[Pair], read: Mapping[str, ReadPair]
) -> Measurements:
    """Returns the verdicts, and as values 1 for a response in which one of a hypothesis's latents is active, else 0.

    If one of the latents is active in only one side's response, that side is the verdict. If a response is missing or
    could not be read, the verdict is UNREADABLE.

    Args:
        hypotheses: Hypotheses with their measures and with what tells whether their latents are active.
        pairs: The pairs.
        read: By prompt id, the pairs of which both responses could be read.
    """
    import numpy as np

    judgements: list[Judgement] = []
    values: dict[Measure, NDArray[np.float64]] = {}
    for hypothesis, measure, is_active in hypotheses:
        active = [_active(is_active, read.get(pair.prompt.id)) for pair in pairs]
        for pair, both in zip(pairs, active, strict=True):
            judgements.append(Judgement(hypothesis.id, pair.prompt.id, _verdict(both), JUDGE))
        values[measure] = np.array([both or (None, None) for both in active], dtype=float).reshape(-1, 2).T
    return Measurements(judgements, values)


def _active(is_active: IsActive, pair: ReadPair | None) -> tuple[bool, bool] | None:
    """Tells for both sides whether a latent is active; None if a response could not be read."""
    return None if pair is None else (is_active(pair.a), is_active(pair.b))


def _verdict(active: tuple[bool, bool] | None) -> Verdict:
    if active is None:
        return Verdict.UNREADABLE
    a, b = active
    if a == b:
        return Verdict.NEITHER
    return Verdict.A if a else Verdict.B
