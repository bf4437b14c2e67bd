"""The mathematics of a sparse dictionary that reads and writes one or several activations of a row at once.

A crosscoder has two inputs, the activations of both models; a difference dictionary has one, their difference. Knows
nothing of models and of how a dictionary is trained.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch  # noqa: TID253 - only training and reading a dictionary import this module
from torch import Tensor  # noqa: TID253

Inputs: TypeAlias = tuple[Tensor, ...]
"""Activations at the same rows: one tensor per input, rows x width of the input."""


@dataclass(frozen=True, slots=True)
class Normaliser:
    """Moves and scales every input, so that its mean is 0 and its mean squared norm is 1.

    One scale per input keeps the angles, and no input outweighs another one.
    """

    means: tuple[Tensor, ...]
    """The mean of every input, one number per dimension."""
    scales: tuple[float | Tensor, ...]
    """The factor of every input; a published dictionary may have one factor per dimension."""

    def __call__(self, raw: Inputs) -> Inputs:
        """Normalises raw activations."""
        return tuple(
            (each.to(mean.device, torch.float32) - mean) * scale
            for each, mean, scale in zip(raw, self.means, self.scales, strict=True)
        )

    def to(self, device: str | torch.device) -> "Normaliser":
        """Returns the same normaliser on another device."""
        scales = (scale.to(device) if isinstance(scale, Tensor) else scale for scale in self.scales)
        return Normaliser(tuple(mean.to(device) for mean in self.means), tuple(scales))


@dataclass(frozen=True, slots=True)
class DictionaryWeights:
    """The weights of a dictionary of D latents; masked rows hold zeros."""

    encoders: tuple[Tensor, ...]
    """For every input D x width: the directions that the latents read."""
    bias: Tensor
    """D: added before the activation function."""
    decoders: tuple[Tensor, ...]
    """For every input D x width: the directions that the latents write."""
    output_biases: tuple[Tensor, ...]
    """For every input its width: what is written without any latent."""

    def codes(self, inputs: Inputs) -> Tensor:
        """Returns the activations before any selection, rows x latents: ReLU(sum of E x, and c)."""
        code = self.bias
        for each, encoder in zip(inputs, self.encoders, strict=True):
            code = code + each @ encoder.T
        return code.relu()

    def norms(self) -> Tensor:
        """Returns the sum of the norms of every latent's directions, which weighs its activation in the selection."""
        return torch.stack([decoder.norm(dim=1) for decoder in self.decoders]).sum(0)

    def decode(self, activations: Tensor) -> Inputs:
        """Reconstructs the normalised inputs from activations."""
        pairs = zip(self.decoders, self.output_biases, strict=True)
        return tuple(torch.addmm(bias, activations, decoder) for decoder, bias in pairs)

    def to(self, device: str | torch.device) -> "DictionaryWeights":
        """Returns the same weights on another device, without gradients."""

        def moved(tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
            return tuple(tensor.detach().to(device) for tensor in tensors)

        (bias,) = moved([self.bias])
        return DictionaryWeights(moved(self.encoders), bias, moved(self.decoders), moved(self.output_biases))


class SparseDictionary:
    """A trained dictionary with its normaliser and its threshold; immutable."""

    def __init__(self, weights: DictionaryWeights, normaliser: Normaliser, threshold: float, k: int) -> None:
        self.weights = weights
        """The weights, in normalised space."""
        self.normaliser = normaliser
        """Applied to raw activations before they are encoded."""
        self.threshold = threshold
        """A latent is active if its activation times the sum of its directions' norms exceeds this."""
        self.k = k
        """The mean number of active latents per row in training."""
        self._norms = weights.norms()

    @property
    def latents(self) -> int:
        """The number of latents."""
        return len(self.weights.bias)

    def encode(self, raw: Inputs) -> Tensor:
        """Returns the activations of raw inputs, rows x latents; 0 where a latent is not active.

        Each row is read alone, so that the result does not depend on the other rows.
        """
        with torch.no_grad():
            codes = self.weights.codes(self.normaliser(raw))
            return codes * (codes * self._norms > self.threshold)

    def decode(self, activations: Tensor) -> Inputs:
        """Reconstructs the normalised inputs."""
        with torch.no_grad():
            return self.weights.decode(activations)
