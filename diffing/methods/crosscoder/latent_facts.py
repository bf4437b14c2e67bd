"""What is known of every latent of a crosscoder: how often it is active, whose it is, and whether that is genuine."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

LatentKind: TypeAlias = Literal["exclusive a", "exclusive b", "shared", "leaning"]
"""Whose latent it is by its directions and the partition, before latent scaling."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """Latent scaling: the other model's part over the owner's, for candidates of exclusive latents (arXiv 2504.02922).

    NaN for latents that are no candidates, and where it is undefined.
    """

    error: NDArray[np.float64]
    """One number per latent, of the error and the latent's own contribution: complete shrinkage if it is high."""
    reconstruction: NDArray[np.float64]
    """One number per latent, of the reconstruction: decoupling if it is high."""

    @property
    def genuine(self) -> NDArray[np.bool_]:
        """Whether both numbers are low enough, for every latent."""
        return (self.error < 0.2) & (self.reconstruction < 0.5)


@dataclass(frozen=True, slots=True)
class LatentFacts:
    """Facts of every latent, one entry per latent each, from rows that were never trained on."""

    rows: int
    """The number of rows that were read."""
    active_rows: NDArray[np.int64]
    """The number of rows at which the latent is active."""
    rho: NDArray[np.float64]
    """The norm of B's direction over the sum of both norms: 0 belongs to A alone, 1 to B alone."""
    kinds: tuple[LatentKind, ...]
    """Whose latent it is, before latent scaling."""
    own: Scaling | None
    """Latent scaling along the owner's direction; None if the models' spaces cannot be compared."""
    free: Scaling
    """Latent scaling with a free direction in each model."""
    change: NDArray[np.float64] | None
    """Mean squared activation times the squared distance of both directions; None for two spaces."""

    @property
    def alive(self) -> NDArray[np.bool_]:
        """Whether a latent is active at enough rows to say something on it."""
        return self.active_rows >= 10

    @property
    def dense(self) -> NDArray[np.bool_]:
        """Whether a latent is active at more than a tenth of the rows: shown, not followed."""
        return self.active_rows > 0.1 * self.rows

    @property
    def scaling(self) -> Scaling:
        """The latent scaling that counts: along the owner's direction in one space, else the free one."""
        return self.own or self.free

    @property
    def exclusive(self) -> NDArray[np.bool_]:
        """Whether a latent is alive and belongs to one model alone, before latent scaling."""
        return self.alive & np.array([kind.startswith("exclusive") for kind in self.kinds], dtype=bool)

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Whether an exclusive latent survives latent scaling."""
        return self.exclusive & self.scaling.genuine


@dataclass(frozen=True, slots=True)
class Quality:
    """How well a dictionary describes rows."""

    rows: int
    """The number of rows."""
    fve: tuple[float, ...]
    """The fraction of the variance that is explained, per input: A and B, or the difference."""
    l0: float
    """The mean number of active latents per row."""
    dead: float
    """The share of latents that are active at none of the rows."""
    dense: float
    """The share of latents that are active at more than a tenth of the rows."""
