"""Which latents differ between the sides: rates, an exact paired test, and the strongest of each direction.

Pure counting; knows neither texts nor models.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from diffing.methods.sae.latent_rows import Latents
from diffing.types import Side

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Counts: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ScreenOptions:
    """Which latents are followed up."""

    mode: Literal["fdr", "paper"] = "fdr"
    """`paper`: the difference of the rates exceeds the margin. `fdr`: and so does chance, over all latents at once."""
    margin: float = 0.03
    """The papers' margin on the difference of the rates."""
    false_discovery_rate: float = 0.05
    """`fdr` only: at most this share of the latents that pass is expected to differ by chance."""
    most: int = 1000
    """Latents followed up, at most; half per direction."""


@dataclass(frozen=True, slots=True)
class Screened:
    """One latent, as counted on pairs."""

    index: int
    """Which latent."""
    rate_a: float
    """Share of A's responses in which it is active."""
    rate_b: float
    """Share of B's."""
    p: float
    """Exact two-sided McNemar test."""
    q: float
    """After Benjamini-Hochberg over all latents."""

    @property
    def difference(self) -> float:
        """Rate in A minus rate in B."""
        return self.rate_a - self.rate_b

    @property
    def direction(self) -> Side:
        """The side in which it is active more often."""
        return "a" if self.difference > 0 else "b"


@dataclass(frozen=True, slots=True)
class Tally:
    """In how many pairs each latent is active; arrays over all latents."""

    pairs: int
    """How many pairs."""
    a: "Counts"
    """Active in A's response."""
    b: "Counts"
    """Active in B's response."""
    only_a: "Counts"
    """Active in A's response and not in B's."""
    only_b: "Counts"
    """Active in B's response and not in A's."""


def tally(pairs: Sequence[tuple[Latents, Latents]], d_sae: int) -> Tally:
    """Counts over pairs of an A response and a B response."""
    import numpy as np

    a, b, both = (np.zeros(d_sae, dtype=np.int64) for _ in range(3))
    for of_a, of_b in pairs:
        a[of_a.indices] += 1
        b[of_b.indices] += 1
        both[np.intersect1d(of_a.indices, of_b.indices, assume_unique=True)] += 1
    return Tally(len(pairs), a, b, a - both, b - both)


def mcnemar(only_a: "Counts", only_b: "Counts") -> "Floats":
    """Exact two-sided p per latent: as uneven a split of the pairs that differ, were both sides as likely.

    Source: McNemar (1947), Psychometrika 12, with the binomial distribution in place of its approximation.
    """
    import numpy as np
    from scipy.stats import binom

    p: Floats = np.minimum(2 * binom.cdf(np.minimum(only_a, only_b), only_a + only_b, 0.5), 1.0)
    return p


def screen(counted: Tally, options: ScreenOptions) -> tuple[Screened, ...]:
    """The latents to follow up, the strongest difference first."""
    import numpy as np
    from scipy.stats import false_discovery_control

    if not counted.pairs:
        return ()
    p = mcnemar(counted.only_a, counted.only_b)
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
    found = [Screened(i, float(rate_a[i]), float(rate_b[i]), float(p[i]), float(q[i])) for i in chosen]
    return tuple(sorted(found, key=lambda one: (-abs(one.difference), one.index)))
