"""Selects the active latents at a token by one of three rules of published crosscoders: thresholds or largest few."""

from dataclasses import dataclass
from typing import Protocol

import torch  # noqa: TID253 - only reading a dictionary imports this module
from torch import Tensor  # noqa: TID253


class LatentSelection(Protocol):
    """A rule for single rows."""

    def active(self, codes: Tensor) -> Tensor:
        """Sets the codes that are not selected to 0; rows x latents, none negative."""

    def written(self, activations: Tensor, place: int) -> Tensor:
        """The activations that take part in the reconstruction of one model, 0 for A and 1 for B."""

    def swapped(self) -> "LatentSelection":
        """The same rule with both models exchanged."""

    def to(self, device: str) -> "LatentSelection":
        """The same rule on another device."""

    @property
    def identity(self) -> str:
        """What decides the selection, apart from the weights."""


@dataclass(frozen=True, slots=True)
class AboveThreshold:
    """A latent is active if its code times its weight exceeds a threshold; with threshold 0 this is ReLU alone."""

    weights: Tensor
    """One weight per latent."""
    threshold: float
    """The threshold."""

    def active(self, codes: Tensor) -> Tensor:
        """See `LatentSelection.active`."""
        return codes * (codes * self.weights > self.threshold)

    def written(self, activations: Tensor, place: int) -> Tensor:
        """See `LatentSelection.written`: all, for both models."""
        return activations

    def swapped(self) -> "AboveThreshold":
        """See `LatentSelection.swapped`."""
        return self

    def to(self, device: str) -> "AboveThreshold":
        """See `LatentSelection.to`."""
        return AboveThreshold(self.weights.to(device), self.threshold)

    @property
    def identity(self) -> str:
        """See `LatentSelection.identity`."""
        return f"threshold {self.threshold!r} {self.weights.double().sum().item()!r}"


@dataclass(frozen=True, slots=True)
class AbovePerModel:
    """Each model has its own weights and threshold; a latent counts as active if it is for either model."""

    weights: Tensor
    """2 x latents, those of A first."""
    thresholds: tuple[float, float]
    """The thresholds of A and of B."""

    def active(self, codes: Tensor) -> Tensor:
        """See `LatentSelection.active`."""
        return torch.maximum(self.written(codes, 0), self.written(codes, 1))

    def written(self, activations: Tensor, place: int) -> Tensor:
        """See `LatentSelection.written`: those above the model's own threshold."""
        return activations * (activations * self.weights[place] > self.thresholds[place])

    def swapped(self) -> "AbovePerModel":
        """See `LatentSelection.swapped`."""
        return AbovePerModel(self.weights.flip(0), self.thresholds[::-1])

    def to(self, device: str) -> "AbovePerModel":
        """See `LatentSelection.to`."""
        return AbovePerModel(self.weights.to(device), self.thresholds)

    @property
    def identity(self) -> str:
        """See `LatentSelection.identity`."""
        return f"per model {self.thresholds!r}"


@dataclass(frozen=True, slots=True)
class LargestPerRow:
    """The k largest codes of each row are active."""

    k: int
    """The number of latents."""

    def active(self, codes: Tensor) -> Tensor:
        """See `LatentSelection.active`."""
        largest = codes.topk(min(self.k, codes.shape[1]), dim=1)
        return torch.zeros_like(codes).scatter_(1, largest.indices, largest.values)

    def written(self, activations: Tensor, place: int) -> Tensor:
        """See `LatentSelection.written`: all, for both models."""
        return activations

    def swapped(self) -> "LargestPerRow":
        """See `LatentSelection.swapped`."""
        return self

    def to(self, device: str) -> "LargestPerRow":
        """See `LatentSelection.to`."""
        return self

    @property
    def identity(self) -> str:
        """See `LatentSelection.identity`."""
        return f"largest {self.k}"
