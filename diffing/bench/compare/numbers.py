"""Means over hypotheses and agreement between raters. Pure; knows no report."""

import math
from collections.abc import Sequence
from itertools import combinations

from diffing.errors import MissingExtraError
from diffing.metrics import UNDEFINED
from diffing.types import Estimate

RESAMPLES = 2000
"""Of the bootstrap."""
SCALE = (1, 2, 3, 4, 5)
"""What a rater can say."""


def mean(values: Sequence[float | None]) -> Estimate:
    """Mean of what is defined, with a percentile bootstrap interval over the values; none below two of them.

    Args:
        values: One per hypothesis; None where undefined.
    """
    import numpy as np
    from scipy.stats import bootstrap

    defined = [value for value in values if value is not None]
    if not defined:
        return UNDEFINED
    average = float(np.mean(defined))
    if len(defined) < 2:
        return Estimate(average, None, None, len(defined))
    interval = bootstrap(
        (defined,), np.mean, n_resamples=RESAMPLES, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    return Estimate(average, float(interval.low), float(interval.high), len(defined))


def kappa(ratings: Sequence[Sequence[tuple[str, int | None]]]) -> Estimate:
    """Cohen's kappa with quadratic weights, averaged over the pairs of raters for whom it is defined (Light's kappa).

    Args:
        ratings: Per hypothesis: rater and rating, None where it was unreadable.

    Returns:
        The average without an interval; `n` counts the hypotheses that two raters rated.

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
