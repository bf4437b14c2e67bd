"""Latent scaling (arXiv 2504.02922): tests whether a latent that seems exclusive to one model serves the other too.

For a target y in each model, v(y) = sum f y / sum f^2 is what the latent's activation f predicts of y. nu is the size
of v in the other model over that in the owner. Of the error and the latent's own contribution it shows complete
shrinkage: the other model has the feature, but the latent was made without it. Of the reconstruction it shows
decoupling: other latents of the other model do the same. Source: arXiv 2504.02922.

Along the owner's direction only the part of v along it counts [the paper]. With a free direction the squared norm of v
is the inner product of those of two halves of the rows, which noise does not enlarge.
"""

from dataclasses import dataclass

import numpy as np
import torch  # noqa: TID253 - only reading a dictionary imports this module
from numpy.typing import NDArray
from torch import Tensor  # noqa: TID253

from diffing.methods.crosscoder.sparse_dictionary import DictionaryWeights, Inputs

HIGHEST_ERROR, HIGHEST_RECONSTRUCTION = 0.2, 0.5
"""A latent is genuinely exclusive if its nu of the error and of the reconstruction are lower than these."""


@dataclass(frozen=True, slots=True)
class LatentScaling:
    """nu of every latent, NaN for latents that are no candidates and where it is undefined."""

    error: NDArray[np.float64]
    """nu of the error and the latent's own contribution: high if the other model has the feature too (shrinkage)."""
    reconstruction: NDArray[np.float64]
    """nu of the reconstruction: high if other latents do the same in the other model (decoupling)."""

    @property
    def genuine(self) -> NDArray[np.bool_]:
        """Whether both are low enough; False where one is undefined."""
        return (self.error < HIGHEST_ERROR) & (self.reconstruction < HIGHEST_RECONSTRUCTION)


class ScalingSums:
    """The sums over rows from which nu is computed, for some latents."""

    def __init__(self, weights: DictionaryWeights, candidates: Tensor, in_b: Tensor) -> None:
        """Begins with no rows.

        Args:
            weights: The dictionary's weights, with two inputs.
            candidates: The latents' indices.
            in_b: For every candidate whether B owns it.
        """
        self._weights = weights
        self._candidates = candidates
        self._in_b = in_b
        device = weights.bias.device
        self._squares = torch.zeros(2, len(candidates), device=device)
        self._errors = [_zeros(candidates, decoder) for decoder in weights.decoders]
        self._reconstructions = [_zeros(candidates, decoder) for decoder in weights.decoders]

    def add(self, inputs: Inputs, activations: Tensor, outputs: Inputs) -> None:
        """Adds a batch: normalised inputs, activations, reconstructions.

        Each half of the batch belongs to one half of the rows, so that neighbours from one text stay together.
        """
        middle = (len(activations) + 1) // 2
        for half, rows in enumerate((slice(0, middle), slice(middle, None))):
            f = activations[rows, self._candidates]
            self._squares[half] += f.square().sum(0)
            for place, bias in enumerate(self._weights.output_biases):
                output = outputs[place][rows]
                self._errors[place][half] += f.T @ (inputs[place][rows] - output)
                self._reconstructions[place][half] += f.T @ (output - bias)

    def along_owner(self) -> LatentScaling:
        """Returns nu along the owner's direction, for two models of one space."""
        squares = self._squares.sum(0)[:, None]
        directions = torch.where(self._in_b[:, None], self._decoder(1), self._decoder(0))

        def ratio(sums: list[Tensor], *, own: bool) -> Tensor:
            predicted = [each.sum(0) / squares + own * self._decoder(place) for place, each in enumerate(sums)]
            betas = [(each * directions).sum(1).abs() for each in predicted]
            return self._other_over_owner(betas[0], betas[1])

        return self._scaling(ratio(self._errors, own=True), ratio(self._reconstructions, own=False))

    def free(self) -> LatentScaling:
        """Returns nu with a free direction in each model."""
        squares = self._squares[:, :, None]

        def ratio(sums: list[Tensor], *, own: bool) -> Tensor:
            predicted = [each / squares + own * self._decoder(place) for place, each in enumerate(sums)]
            norms = [(each[0] * each[1]).sum(1).clamp_min(0).sqrt() for each in predicted]
            return self._other_over_owner(norms[0], norms[1])

        return self._scaling(ratio(self._errors, own=True), ratio(self._reconstructions, own=False))

    def _decoder(self, place: int) -> Tensor:
        return self._weights.decoders[place][self._candidates]

    def _other_over_owner(self, a: Tensor, b: Tensor) -> Tensor:
        """Returns the ratios; NaN where the owner's number is 0 or undefined."""
        owner, other = torch.where(self._in_b, b, a), torch.where(self._in_b, a, b)
        return torch.where(owner > 0, other / owner, torch.nan)

    def _scaling(self, error: Tensor, reconstruction: Tensor) -> LatentScaling:
        return LatentScaling(self._spread(error), self._spread(reconstruction))

    def _spread(self, values: Tensor) -> NDArray[np.float64]:
        """Puts the candidates' values at their places among all latents."""
        spread = np.full(len(self._weights.bias), np.nan)
        spread[self._candidates.cpu().numpy()] = values.double().cpu().numpy()
        return spread


def _zeros(candidates: Tensor, decoder: Tensor) -> Tensor:
    """One row per candidate, for two halves of the rows."""
    return torch.zeros(2, len(candidates), decoder.shape[1], device=decoder.device)
