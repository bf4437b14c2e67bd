"""Tests counted verdicts on responses of unequal length, of which the longer one wins more often by chance."""

from collections.abc import Sequence
from functools import lru_cache

_DIGITS = 3
"""Decimals of a chance: few distinct values take little memory, and a thousandth changes no result."""
_KEPT = 100_000


@lru_cache(_KEPT)
def chance_of_more_per_word(signs: int, words: tuple[int, int]) -> float:
    """Returns the probability that the first response has more signs per word, given that the two differ.

    They differ if one has more signs per word, and one (not necessarily the same) has more in all. Under the null
    hypothesis every word of both responses is equally likely to be a sign. Given the number of signs in both together,
    those of the first are then binomial with its share of the words.

    Args:
        signs: The number of signs in both responses together, at least 1.
        words: The number of words of each response; a response without words counts as one word.
    """
    from scipy.special import bdtr, bdtrc

    first, second = (max(1, count) for count in words)
    if first < second:  # so that swapping the responses mirrors the result exactly
        return round(1 - chance_of_more_per_word(signs, (second, first)), _DIGITS)
    both = first + second
    more = bdtrc(signs * first // both, signs, first / both)
    fewer = bdtr((signs * first - 1) // both, signs, first / both)
    if signs % 2 == 0 and first > second:  # as many signs in both, which is fewer per word
        fewer -= bdtr(signs // 2, signs, first / both) - bdtr(signs // 2 - 1, signs, first / both)
    return round(float(more / (more + fewer)), _DIGITS)


@lru_cache(_KEPT)
def chance_of_presence(signs: int, words: tuple[int, int]) -> float:
    """Returns the probability that the first response has all signs, given that one has all and the other none.

    The null hypothesis and the arguments are those of `chance_of_more_per_word`.
    """
    first, second = (max(1, count) for count in words)
    if first < second:
        return round(1 - chance_of_presence(signs, (second, first)), _DIGITS)
    return round(1 / (1 + (second / first) ** signs), _DIGITS)


def unequal_sign_test(chances: Sequence[float], k_for: int) -> float:
    """Returns the exact one-sided p-value of a sign test in which each verdict has a chance of its own.

    The number of verdicts for the predicted side has a Poisson binomial distribution, computed verdict by verdict.

    Args:
        chances: For each verdict that names a side, the probability that it names the predicted side under the null.
        k_for: The number of verdicts that name the predicted side.
    """
    import numpy as np

    probabilities = np.zeros(len(chances) + 1)
    probabilities[0] = 1.0
    # sorted, since the order of the prompts must not change the result
    for done, chance in enumerate(sorted(chances), 1):
        probabilities[1 : done + 1] = (1 - chance) * probabilities[1 : done + 1] + chance * probabilities[:done]
        probabilities[0] *= 1 - chance
    return min(1.0, float(probabilities[k_for:].sum()))
