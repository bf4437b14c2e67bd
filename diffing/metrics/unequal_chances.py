"""Tests counted verdicts on responses of unequal length, of which the longer one wins more often by chance."""

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_DIGITS = 3
"""Decimals of a chance: few distinct values take little memory, and a thousandth changes no result."""
_KEPT = 100_000


def chances_of_more_per_word(signs: "NDArray[np.int64]", words: "NDArray[np.int64]") -> list[float]:
    """Returns the probabilities that the first response has more signs per word, given that the two differ.

    They differ if one has more signs per word, and one (not necessarily the same) has more in all. Under the null
    hypothesis every word of both responses is equally likely to be a sign. Given the number of signs in both together,
    those of the first are then binomial with its share of the words.

    Args:
        signs: For each pair of responses, the number of signs in both together, at least 1; shape (pairs,).
        words: The number of words of each response; one without words counts as one word; shape (pairs, 2).
    """
    import numpy as np

    first, second = np.maximum(words, 1).T
    # the longer response comes first, so that swapping the responses mirrors the result exactly
    chances = _chances_of_longer(signs, np.maximum(first, second), np.minimum(first, second))
    swapped = (first < second).tolist()
    return [round(1 - chance, _DIGITS) if swap else chance for chance, swap in zip(chances, swapped, strict=True)]


def _chances_of_longer(
    signs: "NDArray[np.int64]", longer: "NDArray[np.int64]", shorter: "NDArray[np.int64]"
) -> list[float]:
    import numpy as np
    from scipy.special import bdtr, bdtrc

    both = longer + shorter
    share = longer / both
    more = bdtrc(signs * longer // both, signs, share)
    fewer = bdtr((signs * longer - 1) // both, signs, share)
    # as many signs in both, which is fewer per word
    even = np.flatnonzero((signs % 2 == 0) & (longer > shorter))
    half, all_signs, shares = signs[even] // 2, signs[even], share[even]
    fewer[even] -= bdtr(half, all_signs, shares) - bdtr(half - 1, all_signs, shares)
    return [round(chance, _DIGITS) for chance in (more / (more + fewer)).tolist()]


@lru_cache(_KEPT)
def chance_of_presence(signs: int, words: tuple[int, int]) -> float:
    """Returns the probability that the first response has all signs, given that one has all and the other none.

    The null hypothesis is that of `chances_of_more_per_word`.

    Args:
        signs: The number of signs in both responses together, at least 1.
        words: The number of words of each response; a response without words counts as one word.
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
