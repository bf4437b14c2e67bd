"""What the papers' own published code computes, to hold ours against."""

from dataclasses import dataclass

import numpy as np

from diffing.estimates import Metrics
from diffing.metrics import ALPHA
from diffing.types import Side, other_side

OUTSIDE = -1.0
"""The papers' code sets the rates of latents outside its bounds to this."""


def paper_differences(
    rate_a: np.ndarray, rate_b: np.ndarray, *, relative: bool = False, lowest: float = 0.0, highest: float = 1.0
) -> list[tuple[int, float, float, float]]:
    """(latent, rate in A, rate in B, difference) as the papers' own code lists them, largest difference first.

    Args:
        rate_a: Rates in A.
        rate_b: Rates in B; the sides need not have the same number of responses.
        relative: Divide a difference by the larger rate.
        lowest: Latents with a rate below this in either side are shown as `OUTSIDE`, with no difference.
        highest: Likewise above.

    Source: arXiv 2512.10092, `diff_features` of the published code.
    """
    larger = np.maximum(rate_a, rate_b)
    difference = rate_a - rate_b
    if relative:
        ratio = np.divide(np.minimum(rate_a, rate_b), larger, out=np.ones_like(larger), where=larger > 0)
        difference = np.sign(difference) * (1 - ratio)
    inside = (np.minimum(rate_a, rate_b) >= lowest) & (larger <= highest)
    a, b, difference = (
        np.where(inside, rate_a, OUTSIDE),
        np.where(inside, rate_b, OUTSIDE),
        np.where(inside, difference, 0),
    )
    order = np.lexsort((np.arange(len(a)), -a, -difference))
    return [(int(i), float(a[i]), float(b[i]), float(difference[i])) for i in order]


@dataclass(frozen=True, slots=True)
class PaperEvaluation:
    """One hypothesis as the papers' evaluation code sees it."""

    accepted: bool
    """On train, the predicted side is ahead by more than alpha."""
    train_side: Side | None
    """The side ahead by more than alpha on train."""
    heldout_side: Side | None
    """The same on held-out."""
    train_accuracy: float
    """Share for the predicted side among the decided; 0, not undefined, where nothing was decided."""
    heldout_accuracy: float
    """The same on held-out."""
    train_frequency: float
    """1 - share of N/A."""
    heldout_frequency: float
    """The same on held-out."""


def paper_evaluation(train: Metrics, heldout: Metrics, direction: Side, alpha: float = ALPHA) -> PaperEvaluation:
    """What the papers' own code would say, for comparison with published numbers.

    It differs from ours in two ways: an unreadable or missing verdict stays in the denominator and so counts as
    "applies", and the accuracy of a hypothesis on which nothing was decided is 0.

    Args:
        train: Metrics on train.
        heldout: Metrics on held-out.
        direction: The side the hypothesis predicts.
        alpha: Margin on the shares.

    Source: arXiv 2602.10371, evaluation criteria, as their published `evaluate_hypotheses` computes them.
    """
    train_side, train_accuracy, train_frequency = _paper_split(train, direction, alpha)
    heldout_side, heldout_accuracy, heldout_frequency = _paper_split(heldout, direction, alpha)
    return PaperEvaluation(
        accepted=train_side == direction,
        train_side=train_side,
        heldout_side=heldout_side,
        train_accuracy=train_accuracy,
        heldout_accuracy=heldout_accuracy,
        train_frequency=train_frequency,
        heldout_frequency=heldout_frequency,
    )


def _paper_split(metrics: Metrics, direction: Side, alpha: float) -> tuple[Side | None, float, float]:
    """Side ahead by more than alpha, accuracy, frequency."""
    total = metrics.n + metrics.unreadable
    if total == 0:
        return None, 0.0, 0.0
    share_for, share_against = metrics.k_for / total, metrics.k_against / total
    decided = share_for + share_against
    ahead: Side | None = None
    if share_for > share_against + alpha:
        ahead = direction
    elif share_against > share_for + alpha:
        ahead = other_side(direction)
    return ahead, share_for / decided if decided else 0.0, 1.0 - metrics.k_neither / total
