"""Computes correlation, agreement and residual between the verdicts on every two hypotheses, as matrices.

Verdicts are signed for the side that each hypothesis predicts: 1 for it, -1 against it, 0 for neither. Everything here
follows from the counts of each combination of two verdicts, over the pairs on which both are readable.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

LEAST_IN_STRATUM = 5
"""The smallest number of pairs for the predicted side, and against it, over which a residual is averaged."""
LEAST_NEITHER, LEAST_NEITHER_SHARE = 20, 0.2
"""With fewer, the pairs that a hypothesis decides for neither side stand alone, if there are this many of them."""
_SIGNS = (1, -1, 0)
_ZERO = 1e-12
Values = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class VerdictRelations:
    """Compares the hypotheses of a matrix of verdicts. Each result has shape (hypotheses, hypotheses)."""

    values: Values
    """1, -1 or 0, and `verdict_agreement.MISSING` without a readable verdict; shape (hypotheses, prompts)."""

    @cached_property
    def _counts(self) -> dict[tuple[int, int], Floats]:
        """The number of pairs by the two verdicts."""
        masks = {sign: (self.values == sign).astype(np.float32) for sign in _SIGNS}
        return {(one, two): (masks[one] @ masks[two].T).astype(np.float64) for one in _SIGNS for two in _SIGNS}

    @cached_property
    def n(self) -> Floats:
        """The number of pairs on which both are readable."""
        return np.sum([*self._counts.values()], axis=0)  # type: ignore[no-any-return]

    @cached_property
    def decided(self) -> Floats:
        """At (i, j): the number of pairs that j decides, of those that are readable for both."""
        return self._sum(*((one, two) for one in _SIGNS for two in (1, -1)))

    @cached_property
    def both_for(self) -> Floats:
        """The number of pairs on which both are for the side that they predict."""
        return self._counts[1, 1]

    @cached_property
    def agreement(self) -> Floats:
        """The share of the pairs decided by both on which both are for, or both against, what they predict."""
        return _ratio(self._sum((1, 1), (-1, -1)), self._sum((1, 1), (-1, -1), (1, -1), (-1, 1)))

    @cached_property
    def share_for(self) -> Floats:
        """At (i, j): of the pairs that are readable for both, the share on which i is for its side."""
        return _ratio(self._sum((1, 1), (1, -1), (1, 0)), self.n)

    @cached_property
    def for_second(self) -> Floats:
        """At (i, j): the number of pairs on which j is for its side and i is readable."""
        return self._sum((1, 1), (-1, 1), (0, 1))

    @cached_property
    def share_for_given(self) -> Floats:
        """At (i, j): of the pairs on which j is for its side, the share on which i is for its own."""
        return _ratio(self.both_for, self.for_second)

    @cached_property
    def net(self) -> Floats:
        """At (i, j): the net difference of j over the pairs that are readable for both."""
        return _ratio(self.for_second - self._sum((1, -1), (-1, -1), (0, -1)), self.n)

    @cached_property
    def r(self) -> Floats:
        """The correlation of the verdicts; undefined (nan) if one of the two is always the same."""
        products = _ratio(self._sum((1, 1), (-1, -1)) - self._sum((1, -1), (-1, 1)), self.n)
        variance = _ratio(self.decided, self.n) - self.net**2  # of j
        variances = np.where(variance > _ZERO, variance, np.nan)
        r: Floats = np.clip((products - self.net * self.net.T) / np.sqrt(variances * variances.T), -1.0, 1.0)
        return r

    @cached_property
    def residual(self) -> Floats:
        """At (i, j): the share of the net difference of j that the verdicts of i leave; nan if it is undefined."""
        return _ratio(self._left[0], np.where(self.net > 0, self.net, np.nan))

    @cached_property
    def residual_z(self) -> Floats:
        """The residual in its standard errors; nan if it is undefined."""
        left, variance = self._left
        exact = np.where(np.abs(left) < _ZERO, 0.0, np.copysign(np.inf, left))
        with np.errstate(divide="ignore", invalid="ignore"):
            z = np.where(variance > 0, left / np.sqrt(variance), exact)
        return np.where(np.isnan(self.residual), np.nan, z)

    @cached_property
    def _left(self) -> tuple[Floats, Floats]:
        """The mean of j over strata of i, with each of i's sides weighted alike, and the variance of that mean.

        Where i is for its side it may well take j along; an average over pairs for and against i cancels that.
        """
        (n_for, mean_for, var_for), (n_against, mean_against, var_against) = self._stratum(1), self._stratum(-1)
        n, mean, variance = self._stratum(0)
        neither = _ratio(n, self.n)
        decided = (1.0 - neither) / 2
        left = neither * np.where(n > 0, mean, 0.0) + decided * (mean_for + mean_against)
        spread = neither**2 * np.where(n > 1, variance, 0.0) + decided**2 * (var_for + var_against)
        balanced = (n_for >= LEAST_IN_STRATUM) & (n_against >= LEAST_IN_STRATUM)
        silent = (n >= LEAST_NEITHER) & (neither >= LEAST_NEITHER_SHARE)
        varies = np.abs(self.net) < 1.0 - _ZERO
        known = [varies & balanced, varies & silent]
        return np.select(known, [left, mean], np.nan), np.select(known, [spread, variance], np.nan)

    def _stratum(self, sign: int) -> tuple[Floats, Floats, Floats]:
        """Of the pairs on which i has this verdict: their number, and j's mean with the variance of the mean."""
        plus, minus, zero = (self._counts[sign, other] for other in _SIGNS)
        n = plus + minus + zero
        mean = _ratio(plus - minus, n)
        spread = _ratio(plus + minus - n * mean**2, np.where(n > 1, n - 1, np.nan))
        return n, mean, _ratio(np.maximum(spread, 0.0), n)

    def _sum(self, *verdicts: tuple[int, int]) -> Floats:
        return np.sum([self._counts[each] for each in verdicts], axis=0)  # type: ignore[no-any-return]


def _ratio(part: Floats, of: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(of != 0, part / of, np.nan)
