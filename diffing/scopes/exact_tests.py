"""Computes an exact test of whether a difference is greater on the prompts in a scope than on the others."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

_Counts = npt.NDArray[np.int64]
_CELLS = 1_000_000
"""The number of possible counts whose probabilities are computed at once."""


@dataclass(frozen=True, slots=True)
class VerdictCounts:
    """How many verdicts on one hypothesis there are on some prompts."""

    k_for: int
    """Verdicts for the predicted side."""
    k_against: int
    """Verdicts for the other side."""
    n: int
    """All readable verdicts."""


@lru_cache(10_000)
def p_differs(inside: VerdictCounts, everywhere: VerdictCounts) -> float:
    """Returns the exact p-value that verdicts inside a scope favour the predicted side as much by chance.

    By chance means that every assignment of the scope to as many of the prompts is equally likely: the number of
    verdicts for the side, against it and for neither inside are then multivariate hypergeometric. p is the probability
    that k_for - k_against inside is at least as large as observed. Without verdicts against, it is Fisher's exact test.

    Args:
        inside: The counts inside the scope.
        everywhere: The counts inside and outside together.

    Raises:
        ValueError: There are more verdicts of a kind inside than everywhere.
    """
    neither = everywhere.n - everywhere.k_for - everywhere.k_against
    neither_inside = inside.n - inside.k_for - inside.k_against
    outside = (everywhere.k_for - inside.k_for, everywhere.k_against - inside.k_against, neither - neither_inside)
    if min(inside.k_for, inside.k_against, neither_inside, *outside) < 0:
        raise ValueError(f"expected at most the counts of {everywhere} inside a scope, got {inside}")
    least = inside.k_for - inside.k_against
    fors = np.arange(max(least, 0), min(everywhere.k_for, inside.n) + 1)
    step = max(1, _CELLS // (min(everywhere.k_against, inside.n) + 1))
    parts = [_probability(fors[i : i + step], least, inside.n, everywhere) for i in range(0, len(fors), step)]
    return min(1.0, float(sum(parts)))


def _probability(fors: _Counts, least: int, n: int, all_: VerdictCounts) -> float:
    """The probability of one of some numbers of verdicts for the side, with a difference of at least `least`."""
    from scipy.special import gammaln

    a = fors[:, None]
    b = np.arange(min(all_.k_against, n, int(fors[-1]) - least) + 1)[None, :]
    neither = all_.n - all_.k_for - all_.k_against
    rest = n - a - b
    possible = (a - b >= least) & (rest >= 0) & (rest <= neither)
    a, b, rest = (np.broadcast_to(each, possible.shape)[possible] for each in (a, b, rest))
    factorials = gammaln(np.arange(all_.n + 2) + 0.0)[1:]  # of 0, 1, 2, ...

    def ways(of: int, taken: _Counts) -> npt.NDArray[np.float64]:
        logs: npt.NDArray[np.float64] = factorials[of] - factorials[taken] - factorials[of - taken]
        return logs

    total = factorials[all_.n] - factorials[n] - factorials[all_.n - n]
    logs = ways(all_.k_for, a) + ways(all_.k_against, b) + ways(neither, rest) - total
    return float(np.exp(logs).sum())
