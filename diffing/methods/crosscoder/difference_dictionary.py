"""`DifferenceDictionary`: a sparse dictionary of model B's activations minus model A's at the same text position.

A behaviour that follows from the prompt is not exclusive to one model: it rides on a latent that both have, along which
they differ. Here such differences are latents of their own.
"""

from functools import cached_property
from pathlib import Path

from torch import Tensor  # noqa: TID253 - only training and reading a dictionary import this module

from diffing.methods.crosscoder.saved_dictionary import dictionary_hash, load_parts, save_parts
from diffing.methods.crosscoder.sparse_dictionary import DictionaryWeights, Inputs, Normaliser, SparseDictionary
from diffing.methods.crosscoder.training_settings import DictionarySource


class DifferenceDictionary(SparseDictionary):
    """A dictionary of B's activations minus A's, for two models of one space."""

    def __init__(
        self,
        weights: DictionaryWeights,
        normaliser: Normaliser,
        *,
        threshold: float,
        k: int,
        source: DictionarySource | None,
    ) -> None:
        super().__init__(weights, normaliser, threshold, k)
        self.source = source
        """What it was trained on, None if that is unknown."""

    @property
    def widths(self) -> tuple[int, int]:
        """The dimensions of both models, which are the same."""
        width = self.weights.decoders[0].shape[1]
        return width, width

    @cached_property
    def hash(self) -> str:
        """The first characters of a hash of everything that decides its activations."""
        return dictionary_hash(self)

    def activations(self, a: Tensor, b: Tensor) -> Tensor:
        """Returns the latents' activations at rows that both models have read; see `Crosscoder.activations`."""
        return self.encode(self.inputs(a, b))

    @staticmethod
    def inputs(a: Tensor, b: Tensor) -> Inputs:
        """Returns what the dictionary reads and reconstructs: what B has more than A."""
        return (b - a,)

    def direction(self, latent: int) -> Tensor:
        """Returns by how much one unit of a latent's activation moves B's raw residual stream away from A's."""
        return self.weights.decoders[0][latent] / self.normaliser.scales[0]

    def to(self, device: str) -> "DifferenceDictionary":
        """Returns the same dictionary on another device."""
        weights, normaliser = self.weights.to(device), self.normaliser.to(device)
        return DifferenceDictionary(weights, normaliser, threshold=self.threshold, k=self.k, source=self.source)

    def negated(self) -> "DifferenceDictionary":
        """Returns the dictionary of A minus B, whose activations at the exchanged models are the same."""
        weights, normaliser = self.weights, self.normaliser
        (encoder,), (decoder,), (bias,) = weights.encoders, weights.decoders, weights.output_biases
        return DifferenceDictionary(
            DictionaryWeights((-encoder,), weights.bias, (-decoder,), (-bias,)),
            Normaliser((-normaliser.means[0],), normaliser.scales),
            threshold=self.threshold,
            k=self.k,
            source=self.source and self.source.swapped(),
        )

    def save(self, folder: Path) -> None:
        """Writes the dictionary as `config.json` and `model.safetensors`; `load` returns exactly the same.

        Raises:
            SettingError: The folder cannot be written.
        """
        save_parts(self, folder, {}, self.source)

    @classmethod
    def load(cls, folder: Path, device: str = "cpu") -> "DifferenceDictionary":
        """Opens a dictionary that `save` wrote.

        Raises:
            SettingError: The folder does not hold such a dictionary.
        """
        parts = load_parts(folder, inputs=1)
        return cls(parts.weights, parts.normaliser, threshold=parts.threshold, k=parts.k, source=parts.source).to(
            device
        )
