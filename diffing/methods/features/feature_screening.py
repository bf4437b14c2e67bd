"""Selects the latents that are active in clearly more responses of one model, by McNemar's test."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from diffing.methods.features.sparse_latents import Latents
from diffing.types import Side

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Counts: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ScreenOptions:
    """The criteria by which latents are selected."""

    mode: Literal["fdr", "paper"] = "fdr"
    """`paper`: the difference of the rates exceeds the margin. `fdr`: the paired test must be significant as well."""
    margin: float = 0.03
    """The papers' margin on the difference of the rates."""
    false_discovery_rate: float = 0.05
    """For `fdr`: the largest expected share of selected latents that differ only by chance."""
    most: int = 1000
    """The largest number of selected latents, half per direction."""


@dataclass(frozen=True, slots=True)
class ScreenedLatent:
    """One latent with its rates and test results."""

    index: int
    """The latent's index."""
    rate_a: float
    """The share of A's responses in which it is active."""
    rate_b: float
    """The share of B's responses in which it is active."""
    p: float
    """The p-value of the exact two-sided McNemar test."""
    q: float
    """The p-value after Benjamini-Hochberg correction over all latents."""

    @property
    def difference(self) -> float:
        """The rate in A minus the rate in B."""
        return self.rate_a - self.rate_b

    @property
    def direction(self) -> Side:
        """The side in which it is active more often."""
        return "a" if self.difference > 0 else "b"


@dataclass(frozen=True, slots=True)
class LatentCounts:
    """The number of pairs in which each latent is active; each array has one entry per latent."""

    pairs: int
    """The number of all pairs."""
    a: "Counts"
    """In how many pairs the latent is active in A's response."""
    b: "Counts"
    """In how many pairs the latent is active in B's response."""
    only_a: "Counts"
    """In how many pairs the latent is active in A's response and not in B's."""
    only_b: "Counts"
    """In how many pairs the latent is active in B's response and not in A's."""


def count_latents(pairs: Sequence[tuple[Latents, Latents]], latents: int) -> LatentCounts:
    """Counts in how many pairs each latent is active.

    Args:
        pairs: The latents of A's and B's response of each pair.
        latents: The number of all latents.
    """
    import numpy as np

    a, b, both = (np.zeros(latents, dtype=np.int64) for _ in range(3))
    for of_a, of_b in pairs:
        a[of_a.indices] += 1
        b[of_b.indices] += 1
        both[np.intersect1d(of_a.indices, of_b.indices, assume_unique=True)] += 1
    return LatentCounts(len(pairs), a, b, a - both, b - both)


def mcnemar(only_a: "Counts", only_b: "Counts") -> "Floats":
    """Returns the exact two-sided p-value of McNemar's test for each latent.

    Source: McNemar (1947), Psychometrika 12, with exact binomial probabilities instead of the approximation.
    """
    import numpy as np
    from scipy.stats import binom

    p: Floats = np.minimum(2 * binom.cdf(np.minimum(only_a, only_b), only_a + only_b, 0.5), 1.0)
    return p


def screen(counted: LatentCounts, options: ScreenOptions, tried: int = 1) -> tuple[ScreenedLatent, ...]:
    """Selects the latents that meet the criteria, the largest difference first.

    Args:
        counted: In how many pairs each latent is active.
        options: The criteria.
        tried: How many thresholds of activity were tried for each latent; its p-value is multiplied by this.
    """
    import numpy as np
    from scipy.stats import false_discovery_control

    if not counted.pairs:
        return ()
    p = np.minimum(tried * mcnemar(counted.only_a, counted.only_b), 1.0)
    q = false_discovery_control(p, method="bh")
    rate_a, rate_b = counted.a / counted.pairs, counted.b / counted.pairs
    difference = rate_a - rate_b
    passes = np.abs(difference) > options.margin
    if options.mode == "fdr":
        passes &= q <= options.false_discovery_rate
    chosen: list[int] = []
    for sign in (1, -1):
        side = np.flatnonzero(passes & (sign * difference > 0))
        order = side[np.lexsort((side, p[side], -sign * difference[side]))]
        chosen += [int(i) for i in order[: options.most // 2]]
    selected = [ScreenedLatent(i, float(rate_a[i]), float(rate_b[i]), float(p[i]), float(q[i])) for i in chosen]
    return tuple(sorted(selected, key=lambda one: (-abs(one.difference), one.index)))


def unscreened(counted: LatentCounts, indices: Sequence[int], tried: int = 1) -> tuple[ScreenedLatent, ...]:
    """Returns latents with their rates and test results, whether or not they meet any criteria.

    Args:
        counted: In how many pairs each latent is active.
        indices: The latents.
        tried: How many thresholds of activity were tried for each latent; its p-value is multiplied by this.
    """
    import numpy as np
    from scipy.stats import false_discovery_control

    if not indices:
        return ()
    pairs = max(counted.pairs, 1)
    p = np.minimum(tried * mcnemar(counted.only_a, counted.only_b), 1.0)
    q = false_discovery_control(p, method="bh")
    return tuple(
        ScreenedLatent(i, float(counted.a[i]) / pairs, float(counted.b[i]) / pairs, float(p[i]), float(q[i]))
        for i in indices
    )
