"""Computes facts about each latent of a crosscoder: how often it is active, and whether only one model has it."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal, TypeAlias

import numpy as np
import torch  # noqa: TID253 - only reading a dictionary imports this module
from numpy.typing import NDArray
from torch import Tensor  # noqa: TID253

from diffing.methods.crosscoder.dictionary import Crosscoder
from diffing.methods.crosscoder.latent_scaling import LatentScaling, ScalingSums
from diffing.methods.crosscoder.sparse_dictionary import DictionaryWeights
from diffing.methods.inside.row_batches import RowBatch, RowStream

LatentKind: TypeAlias = Literal["exclusive a", "exclusive b", "shared", "leaning"]
"""Whose latent it is by the partition and its directions, before latent scaling."""

ALIVE_ROWS = 10
"""A latent is alive if it is active at this many rows."""
DENSE_SHARE = 0.1
"""A latent is dense if it is active at a larger share of the rows: it is shown, but not followed."""
_EXCLUSIVE_RHO = 0.1, 0.9
_SHARED_RHO = 0.4, 0.6
_BATCH_ROWS = 2_048
_FEWEST_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class LatentUse:
    """At how many rows the latents of a dictionary are active, from the rows of `rows_for_facts`."""

    rows: int
    """The number of rows that were read."""
    active_rows: NDArray[np.int64]
    """The number of rows at which each latent is active."""

    @property
    def alive(self) -> NDArray[np.bool_]:
        """Whether a latent is active at enough rows to say something on it."""
        return self.active_rows >= ALIVE_ROWS

    @property
    def dense(self) -> NDArray[np.bool_]:
        """Whether a latent is active at too many rows to be followed."""
        return self.active_rows > DENSE_SHARE * self.rows


@dataclass(frozen=True, slots=True)
class LatentFacts(LatentUse):
    """Facts of all latents of a crosscoder, one entry per latent each."""

    rho: NDArray[np.float64]
    """The norm of B's direction over the sum of both norms: 0 belongs to A alone, 1 to B alone, NaN if both are 0."""
    kinds: tuple[LatentKind, ...]
    """Whose latent it is, before latent scaling."""
    own: LatentScaling | None
    """Latent scaling along the owner's direction; None if the models' spaces cannot be compared."""
    free: LatentScaling
    """Latent scaling with a free direction in each model."""
    change: NDArray[np.float64] | None
    """Mean squared activation times the squared distance of both directions; None for two spaces."""

    @property
    def scaling(self) -> LatentScaling:
        """The latent scaling that counts: along the owner's direction in one space, else the free one."""
        return self.own or self.free

    @property
    def exclusive(self) -> NDArray[np.bool_]:
        """Whether a latent is alive and belongs to one model alone, before latent scaling."""
        exclusive: NDArray[np.bool_] = np.array([kind.startswith("exclusive") for kind in self.kinds], dtype=bool)
        return self.alive & exclusive

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Whether a latent is exclusive after latent scaling."""
        return self.exclusive & self.scaling.genuine


def latent_facts(crosscoder: Crosscoder, rows: RowStream) -> LatentFacts:
    """Reads the rows of `rows_for_facts` once and gathers the facts of every latent."""
    rho = _rho(crosscoder.weights)
    kinds = _kinds(rho, crosscoder.partition)
    candidates = [latent for latent, kind in enumerate(kinds) if kind.startswith("exclusive")]
    device = crosscoder.weights.bias.device
    in_b = torch.tensor([kinds[latent] == "exclusive b" for latent in candidates], dtype=torch.bool, device=device)
    sums = ScalingSums(crosscoder.weights, torch.tensor(candidates, dtype=torch.long, device=device), in_b)
    count = 0
    active = torch.zeros(crosscoder.latents, dtype=torch.int64, device=device)
    squares = torch.zeros(crosscoder.latents, dtype=torch.float64, device=device)
    for batch in rows_for_facts(rows):
        activations = crosscoder.activations(batch.a, batch.b)
        sums.add(crosscoder.normaliser((batch.a, batch.b)), activations, crosscoder.decode(activations))
        count += len(activations)
        active += (activations > 0).sum(0)
        squares += activations.double().square().sum(0)
    return LatentFacts(
        rows=count,
        active_rows=active.cpu().numpy(),
        rho=rho,
        kinds=kinds,
        own=sums.along_owner() if crosscoder.same_space else None,
        free=sums.free(),
        change=_change(crosscoder, squares / max(count, 1)) if crosscoder.same_space else None,
    )


def rows_for_facts(rows: RowStream) -> Iterator[RowBatch]:
    """Yields the held-back rows and, if these are few, training rows until there are 20,000.

    Without them the rarest latents of a small training, which are often the exclusive ones, would all be dead.
    """
    count = 0
    for batch in rows.held_back(_BATCH_ROWS):
        count += len(batch.a)
        yield batch
    missing = min(_FEWEST_ROWS - count, rows.total)
    size = min(_BATCH_ROWS, missing)
    if size > 0:
        yield from islice(rows.batches(size), missing // size)


def _rho(weights: DictionaryWeights) -> NDArray[np.float64]:
    a, b = (decoder.double().norm(dim=1) for decoder in weights.decoders)
    rho: NDArray[np.float64] = (b / (a + b)).cpu().numpy()
    return rho


def _kinds(rho: NDArray[np.float64], partition: tuple[int, int]) -> tuple[LatentKind, ...]:
    """Tells whose every latent is; one without any direction is nobody's, and counts as leaning."""
    own_a, own_b = partition
    low, high = _EXCLUSIVE_RHO

    def kind(latent: int, of_b: float) -> LatentKind:
        if latent < own_a or (of_b < low and latent >= own_a + own_b):
            return "exclusive a"
        if latent < own_a + own_b or of_b > high:
            return "exclusive b"
        return "shared" if _SHARED_RHO[0] <= of_b <= _SHARED_RHO[1] else "leaning"

    return tuple(kind(latent, float(of_b)) for latent, of_b in enumerate(rho))


def _change(crosscoder: Crosscoder, mean_squares: Tensor) -> NDArray[np.float64]:
    a, b = crosscoder.weights.decoders
    change: NDArray[np.float64] = (mean_squares * (b - a).double().square().sum(1)).cpu().numpy()
    return change
