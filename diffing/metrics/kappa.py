"""Cohen's kappa (agreement beyond chance) in three forms: two judges, a lower bound, and several raters."""

import math
from collections.abc import Sequence
from itertools import combinations

from diffing.errors import MissingExtraError
from diffing.estimates import Estimate
from diffing.metrics import UNDEFINED, wilson
from diffing.types import Verdict

DRAWS = 2000
"""The number of resamples of the bootstrap over pairs of responses."""
SCALE = (1, 2, 3, 4, 5)
"""The ratings that a rater can give."""
_VERDICTS = tuple(verdict for verdict in Verdict if verdict is not Verdict.UNREADABLE)


def kappa_over_pairs(by_pair: Sequence[Sequence[tuple[Verdict, Verdict]]], seed: int = 0) -> Estimate:
    """Computes Cohen's kappa of two judges; undefined if both always gave the same single verdict.

    The interval is a percentile bootstrap over pairs, since the verdicts on one pair are not independent.

    Args:
        by_pair: For each pair of responses, both judges' readable verdicts on each hypothesis.
        seed: The seed of the bootstrap.
    """
    import numpy as np

    tables = np.zeros((len(by_pair), len(_VERDICTS), len(_VERDICTS)))
    for row, verdicts in enumerate(by_pair):
        for one, two in verdicts:
            tables[row, _VERDICTS.index(one), _VERDICTS.index(two)] += 1
    n = int(tables.sum())
    if n == 0:
        return UNDEFINED
    weights = np.random.default_rng(seed).multinomial(len(tables), np.full(len(tables), 1 / len(tables)), size=DRAWS)
    drawn = np.concatenate([tables.sum(axis=0)[None], np.tensordot(weights, tables, axes=1)])
    totals = np.maximum(drawn.sum(axis=(1, 2)), 1)
    observed = np.trace(drawn, axis1=1, axis2=2) / totals
    by_chance = (drawn.sum(axis=1) * drawn.sum(axis=2)).sum(axis=1) / totals**2
    room = 1 - by_chance
    kappas = np.divide(observed - by_chance, room, out=np.full_like(room, np.nan), where=room > 1e-12)
    if np.isnan(kappas[0]):
        return Estimate(None, None, None, n)
    value = float(kappas[0])
    low, high = (float(end) for end in np.nanpercentile(kappas[1:], [2.5, 97.5]))
    return Estimate(value, min(low, value), max(high, value), n)


def kappa_low(agreed: int, n: int, by_chance: float) -> float | None:
    """Computes the lower end of Cohen's kappa; None if chance alone gives full agreement, or if there are no cases.

    It comes from Wilson's interval of the observed agreement; the agreement by chance is treated as known exactly.

    Args:
        agreed: The number of cases on which both agree.
        n: The number of all cases.
        by_chance: The share of agreement that is expected by chance from the frequencies of the answers.
    """
    observed = wilson(agreed, n).low
    if observed is None or by_chance > 1 - 1e-9:
        return None
    return (observed - by_chance) / (1 - by_chance)


def kappa_of_ratings(ratings: Sequence[Sequence[tuple[str, int | None]]]) -> Estimate:
    """Averages Cohen's kappa with quadratic weights over all pairs of raters for whom it is defined (Light's kappa).

    Args:
        ratings: For each hypothesis, the raters with their ratings; a rating is None if it was unreadable.

    Returns:
        The average without an interval; `n` counts the hypotheses that at least two raters rated.

    Raises:
        MissingExtraError: scikit-learn is not installed.

    Source: Light (1971), Measures of response agreement for qualitative data, Psychological Bulletin 76.
    """
    given = [{rater: rating for rater, rating in each if rating is not None} for each in ratings]
    raters = list(dict.fromkeys(rater for each in given for rater in each))
    if len(raters) < 2:
        return UNDEFINED
    try:
        from sklearn.metrics import cohen_kappa_score
    except ImportError:
        raise MissingExtraError("Agreement between raters", "llm") from None
    values = []
    for one, other in combinations(raters, 2):
        both = [(each[one], each[other]) for each in given if one in each and other in each]
        if len({rating for pair in both for rating in pair}) > 1:  # else chance alone gives full agreement
            first, second = zip(*both, strict=True)
            values.append(float(cohen_kappa_score(first, second, labels=SCALE, weights="quadratic")))
    values = [value for value in values if math.isfinite(value)]
    rated_by_two = sum(len(each) > 1 for each in given)
    return Estimate(sum(values) / len(values), None, None, rated_by_two) if values else UNDEFINED
