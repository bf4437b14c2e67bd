"""Synthetic worlds for dictionaries: rows of two spaces that are made of known features.

Each row is the sum of a few features, about four, with strengths between 0.5 and 1.5. A feature has a random direction
in every space: shared ones have the same norm in both, weakly shared ones three tenths of it in one, exclusive ones are
absent from one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diffing.methods.crosscoder.dictionary import Crosscoder
from diffing.methods.crosscoder.latent_facts import LatentFacts, latent_facts
from diffing.methods.crosscoder.quality import DictionaryQuality, quality
from diffing.methods.crosscoder.training_settings import DictionarySource, DictionaryTrainingSettings, default_rate

SOURCE = DictionarySource(("a", "b"), ("1", "2"), (3, 4), "texts")
WEAK = 0.3
_HELD_BACK = 10**9


@dataclass(frozen=True, slots=True)
class Rows:
    """A batch."""

    a: Tensor
    b: Tensor
    place: int


@dataclass(frozen=True)
class World:
    """A stream of rows whose features are known; every batch is drawn anew from its place."""

    seed: int = 0
    width: int = 64
    shared: int = 96
    weak: int = 12
    exclusive: int = 16
    active: float = 4.0
    follows: float = 0.0
    """The probability with which an exclusive feature is active where a shared one of its own is; 0: on its own."""
    rotated: bool = False
    """Whether B's space is A's, rotated: then all features are shared."""
    same_space: bool = False
    """Whether features have the same direction in both models."""
    held_rows: int = 8_192
    total: int = 8_192
    directions: tuple[Tensor, Tensor] = field(init=False)

    def __post_init__(self) -> None:
        drawn = self._random(0)
        a = _units(torch.randn(self.features, self.width, generator=drawn))
        b = a.clone() if self.same_space else _units(torch.randn(self.features, self.width, generator=drawn))
        if self.rotated:
            rotation = torch.linalg.qr(torch.randn(self.width, self.width, generator=drawn)).Q
            object.__setattr__(self, "directions", (a, a @ rotation))
            return
        weak, own = slice(self.shared, self.shared + self.weak // 2), self.shared + self.weak
        a[weak] *= WEAK
        b[weak.stop : own] *= WEAK
        a[own + self.exclusive // 2 :] = 0
        b[own : own + self.exclusive // 2] = 0
        object.__setattr__(self, "directions", (a, b))

    @property
    def features(self) -> int:
        return self.shared + self.weak + self.exclusive

    @property
    def exclusive_a(self) -> range:
        first = self.shared + self.weak
        return range(first, first + self.exclusive // 2)

    @property
    def exclusive_b(self) -> range:
        return range(self.exclusive_a.stop, self.features)

    @property
    def widths(self) -> tuple[int, int]:
        return self.width, self.width

    def _random(self, place: int) -> torch.Generator:
        return torch.Generator().manual_seed(1_000_003 * self.seed + place)

    def strengths(self, rows: int, place: int) -> Tensor:
        """Rows x features: what is in the rows that begin at a place."""
        drawn = self._random(place + 1)
        chance = torch.rand(rows, self.features, generator=drawn)
        on = chance < self.active / self.features
        if self.follows:
            own = slice(self.shared + self.weak, None)
            on[:, own] = on[:, : self.exclusive] & (chance[:, own] < self.follows)
        return on * (0.5 + torch.rand(rows, self.features, generator=drawn))

    def rows(self, rows: int, place: int) -> Rows:
        strengths = self.strengths(rows, place)
        a, b = (strengths @ directions for directions in self.directions)
        return Rows(a, b, place + rows)

    def batches(self, rows: int, start: int = 0) -> Iterator[Rows]:
        while True:
            yield self.rows(rows, start)
            start += rows

    def held_back(self, rows: int) -> Iterator[Rows]:
        for start in range(0, self.held_rows, rows):
            yield self.rows(min(rows, self.held_rows - start), _HELD_BACK + start)

    def held_strengths(self, rows: int) -> Tensor:
        """The features of `held_back(rows)`."""
        starts = range(0, self.held_rows, rows)
        return torch.cat([self.strengths(min(rows, self.held_rows - at), _HELD_BACK + at) for at in starts])


def _units(rows: Tensor) -> Tensor:
    return rows / rows.norm(dim=1, keepdim=True)


def settings(
    world: World, *, latents: int = 192, own: int = 0, steps: int = 1_200, k: int = 4, **more: object
) -> DictionaryTrainingSettings:
    """256 rows per step unless said otherwise, as in the prototype."""
    chosen = {"batch_rows": 256, "rate": default_rate(latents), "seed": world.seed, "k": k} | more
    return DictionaryTrainingSettings(
        source=SOURCE,
        same_space=world.same_space,
        latents=latents,
        partition=(own, own),
        rows=chosen["batch_rows"] * steps,
        **chosen,
    )  # type: ignore[arg-type]


@dataclass(frozen=True)
class Found:
    """What exclusive latents tell of a world."""

    true: int
    """The exclusive features for which there is an exclusive latent of the right model."""
    false: int
    """The exclusive latents that are none of these."""


def correlations(activations: Tensor, strengths: Tensor) -> NDArray[np.float64]:
    """Latents x features; 0 for what is never active."""

    def standard(rows: Tensor) -> Tensor:
        centred = rows.double() - rows.double().mean(0)
        return centred / centred.norm(dim=0).clamp_min(1e-9)

    matrix: NDArray[np.float64] = (standard(activations).T @ standard(strengths)).numpy()
    return matrix


def found(world: World, facts: LatentFacts, matrix: NDArray[np.float64], which: NDArray[np.bool_]) -> Found:
    """Compares the latents that are called exclusive with the exclusive features."""
    known: set[int] = set()
    false = 0
    for latent in which.nonzero()[0]:
        feature = int(matrix[latent].argmax())
        owners = world.exclusive_a if facts.kinds[latent] == "exclusive a" else world.exclusive_b
        if matrix[latent, feature] > 0.7 and feature in owners and not world.rotated:
            known.add(feature)
        else:
            false += 1
    return Found(len(known), false)


def known_features(activations: Tensor, strengths: Tensor) -> NDArray[np.float64]:
    """The best F1 of any latent for every feature: being active where the feature is."""
    latents, features = (activations > 0).double(), (strengths > 0).double()
    both = latents.T @ features
    f1 = 2 * both / (latents.sum(0)[:, None] + features.sum(0)[None]).clamp_min(1)
    best: NDArray[np.float64] = f1.max(0).values.numpy()
    return best


@dataclass(frozen=True)
class Examined:
    """What a trained crosscoder knows of its world."""

    facts: LatentFacts
    quality: DictionaryQuality
    exclusive: Found
    """Latents that belong to one model by the partition or their directions."""
    kept: Found
    """Those that latent scaling keeps."""
    own: Found
    """The exclusive latents of the partition alone."""
    own_kept: Found
    """Those of them that latent scaling keeps."""
    known: NDArray[np.float64]
    """For every exclusive feature the best F1 of any latent."""


def examine(world: World, crosscoder: Crosscoder) -> Examined:
    """Compares a crosscoder with the features of its world, on held-back rows."""
    facts = latent_facts(crosscoder, world)
    activations = torch.cat([crosscoder.activations(rows.a, rows.b) for rows in world.held_back(2_048)])
    strengths = world.held_strengths(2_048)
    matrix = correlations(activations, strengths)
    partition = facts.exclusive & (np.arange(crosscoder.latents) < sum(crosscoder.partition))
    return Examined(
        facts,
        quality(crosscoder, world.held_back(2_048)),
        exclusive=found(world, facts, matrix, facts.exclusive),
        kept=found(world, facts, matrix, facts.kept),
        own=found(world, facts, matrix, partition),
        own_kept=found(world, facts, matrix, partition & facts.kept),
        known=known_features(activations, strengths)[world.shared + world.weak :],
    )
