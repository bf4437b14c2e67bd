"""Weighs hypotheses in their joint test by their train verdicts, so that likely ones are easier to confirm."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Counts = npt.ArrayLike

EQUAL_SHARE = 0.3
"""The share of the weight that hypotheses have alike, whatever train promises: train may mislead, and a hypothesis that
can be confirmed keeps this part of an equal weight."""
MAY_BE_CHANCE = 0.4
"""Train verdicts may be chance if chance alone would favour a side as much with a larger probability than this, as for
2 against 1 or 4 against 3."""
SHARE_OF_CHANCE = 0.1
"""A hypothesis whose train verdicts may be chance has this part of the weight that the others have alike. In simulated
runs (`python -m tests.benchmarks.statistics`) such a hypothesis is true, and confirmable, a hundredth to a twentieth as
often as others; a tenth leaves room for readers who describe worse than simulated ones."""
_LEAST_SHIFT = 0.05
"""What a hypothesis is taken to promise at least, so that its threshold is finite."""


def may_be_chance(k_for: "Counts", k_against: "Counts") -> "npt.NDArray[np.bool_]":
    """Tells of each hypothesis whether chance alone would often favour it as much as its train verdicts do.

    Args:
        k_for: Numbers of train verdicts for the predicted side, shape (hypotheses,); or a single number.
        k_against: The same for the other side.
    """
    import numpy as np
    from scipy.special import bdtrc

    return np.asarray(bdtrc(np.asarray(k_for) - 1, np.add(k_for, k_against), 0.5) > MAY_BE_CHANCE)


def weights(train: Sequence[tuple[int, int]], decided: Sequence[int], rate: float) -> list[float]:
    """Returns the weights of hypotheses in their joint test; their mean is 1.

    They confirm the most hypotheses if verdicts on held-out prompts are for the predicted side as often as on train
    prompts; a part is given to all alike, with less for those whose train verdicts may be chance. A hypothesis with so
    few decided verdicts that not even all of them could confirm it weighs nothing.

    Of the held-out verdicts only their number is used: if a hypothesis is false, it says nothing about their side.

    Args:
        train: For each hypothesis, the number of train verdicts for the predicted side and for the other.
        decided: For each hypothesis, the number of held-out verdicts for one of the sides.
        rate: The false discovery rate of the test.

    Source: Genovese, Roeder and Wasserman (2006), False discovery control with p-value weighting, Biometrika 93;
    Roeder and Wasserman (2009), Genome-wide significance levels and weighted hypothesis testing, Statistical Science
    24; Tarone (1990), A modified Bonferroni method for discrete data, Biometrics 46, on what weighs nothing.
    """
    import numpy as np

    numbers = np.array(decided, dtype=float)
    confirmable = 0.5**numbers <= rate
    if not confirmable.any():
        return [1.0] * len(numbers)
    k_for, k_against = np.array(train).T[:, confirmable]
    lead = 2 * (k_for + 1) / (k_for + k_against + 2) - 1
    best = _best_levels(np.maximum(lead * np.sqrt(numbers[confirmable]), _LEAST_SHIFT), rate)
    alike = np.where(may_be_chance(k_for, k_against), SHARE_OF_CHANCE, 1)
    mixed = EQUAL_SHARE * alike / alike.mean() + (1 - EQUAL_SHARE) * best / best.mean()
    found = np.zeros(len(numbers))
    found[confirmable] = mixed * len(numbers) / len(mixed)
    return [float(weight) for weight in found]


def _best_levels(shifts: "Floats", rate: float) -> "Floats":
    """Divides a level among one-sided normal tests so that the most are expected to be significant.

    Args:
        shifts: By how many standard deviations each statistic is expected to lie above 0.
        rate: The sum of the levels.
    """
    import numpy as np
    from scipy.optimize import brentq
    from scipy.special import ndtr

    def levels(c: float) -> "Floats":
        return np.asarray(ndtr(-(shifts / 2 + c / shifts)), dtype=np.float64)

    return levels(float(brentq(lambda c: float(levels(c).sum()) - rate, -1_000.0, 1_000.0)))


def weighted_benjamini_hochberg(ps: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Returns for each p-value the smallest false discovery rate at which it is significant, in the order given.

    The p-values are divided by weights, and no hypothesis is significant at a rate below its own p, whatever its
    weight. With equal weights these are the q-values of Benjamini and Hochberg.

    Args:
        ps: The p-values.
        weights: One for each, fixed without looking at the p-values; their mean is 1.

    Source: Genovese, Roeder and Wasserman (2006), False discovery control with p-value weighting, Biometrika 93;
    Blanchard and Roquain (2008), Two simple sufficient conditions for FDR control, Electronic Journal of Statistics 2,
    of which the bound by the own p meets the condition of self-consistency.
    """
    import numpy as np

    own = np.array(ps, dtype=float)
    with np.errstate(divide="ignore"):
        divided = own * len(own) / np.array(weights, dtype=float)
    qs = np.ones(len(own))
    for rate in np.unique(own):
        within = np.flatnonzero(own <= rate)
        order = within[np.argsort(divided[within], kind="stable")]
        steps = divided[order] / np.arange(1, len(order) + 1)
        adjusted = np.minimum.accumulate(steps[::-1])[::-1]
        qs[order] = np.minimum(qs[order], np.maximum(adjusted, rate))
    return [float(q) for q in qs]
