"""`PublishedCrosscoder`: a crosscoder from published files, which selects active latents as its authors do."""

import hashlib
from functools import cached_property
from pathlib import Path

import torch  # noqa: TID253 - only reading a dictionary imports this module
from torch import Tensor  # noqa: TID253

from diffing.errors import SettingError
from diffing.methods.crosscoder.dictionary import Crosscoder
from diffing.methods.crosscoder.published.active_latents import LatentSelection
from diffing.methods.crosscoder.published.layout import PublishedWeights
from diffing.methods.crosscoder.sparse_dictionary import DictionaryWeights, Inputs, Normaliser

_HASH_CHARACTERS = 12


class PublishedCrosscoder(Crosscoder):
    """A crosscoder that was trained elsewhere; whose a latent is follows from its directions alone."""

    def __init__(
        self, weights: DictionaryWeights, normaliser: Normaliser, selection: LatentSelection, *, same_space: bool
    ) -> None:
        """Puts a crosscoder together.

        Args:
            weights: Two encoders, two decoders, two output biases, those of A first.
            normaliser: That of both models' raw activations.
            selection: Which latents are active at a row.
            same_space: Whether both models' directions can be compared.
        """
        super().__init__(weights, normaliser, threshold=0.0, k=0, partition=(0, 0), same_space=same_space, source=None)
        self.selection = selection
        """Which latents are active at a row."""

    @classmethod
    def of(cls, published: PublishedWeights, normaliser: Normaliser, *, same_space: bool) -> "PublishedCrosscoder":
        """Takes the weights of files and a normaliser."""
        return cls(published.weights, normaliser, published.selection, same_space=same_space)

    @cached_property
    def hash(self) -> str:
        """The first characters of a hash of everything that decides its activations."""
        parts = f"{super().hash} {self.selection.identity}"
        return hashlib.sha256(parts.encode()).hexdigest()[:_HASH_CHARACTERS]

    def encode(self, raw: Inputs) -> Tensor:
        """Returns the activations of raw inputs, rows x latents; each row is read alone."""
        with torch.no_grad():
            return self.selection.active(self.weights.codes(self.normaliser(raw)))

    def decode(self, activations: Tensor) -> Inputs:
        """Reconstructs the normalised inputs."""
        with torch.no_grad():
            parts = zip(self.weights.decoders, self.weights.output_biases, strict=True)
            return tuple(
                torch.addmm(bias, self.selection.written(activations, place), decoder)
                for place, (decoder, bias) in enumerate(parts)
            )

    def save(self, folder: Path) -> None:
        """Refuses to save: the format of this package does not hold every selection.

        Raises:
            SettingError: Always.
        """
        raise SettingError(f"A published crosscoder is not saved again in {folder.name}: copy the files it came from")

    def to(self, device: str) -> "PublishedCrosscoder":
        """Returns the same crosscoder on another device."""
        return PublishedCrosscoder(
            self.weights.to(device),
            self.normaliser.to(device),
            self.selection.to(device),
            same_space=self.same_space,
        )
