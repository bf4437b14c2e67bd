"""`Crosscoder`: a sparse dictionary of the activations of two models, some of whose latents only one model has.

Sources: Lindsey et al. 2024 (crosscoders), arXiv 2504.02922 (BatchTopK), arXiv 2602.11729 (the partition).
"""

from functools import cached_property
from pathlib import Path

from torch import Tensor  # noqa: TID253 - only training and reading a dictionary import this module

from diffing.methods.crosscoder.saved_dictionary import dictionary_hash, load_parts, save_parts
from diffing.methods.crosscoder.sparse_dictionary import DictionaryWeights, Inputs, Normaliser, SparseDictionary
from diffing.methods.crosscoder.training_settings import DictionarySource
from diffing.types import Side


class Crosscoder(SparseDictionary):
    """A dictionary of both models' activations at the same places of texts."""

    def __init__(
        self,
        weights: DictionaryWeights,
        normaliser: Normaliser,
        *,
        threshold: float,
        k: int,
        partition: tuple[int, int],
        same_space: bool,
        source: DictionarySource | None,
    ) -> None:
        """Puts a crosscoder together.

        Args:
            weights: Two encoders, two decoders, two output biases, those of A first.
            normaliser: That of both models' raw activations.
            threshold: The threshold of the scores.
            k: The mean number of active latents per row.
            partition: The number of A's own latents, which come first, and of B's own, which follow.
            same_space: Whether both models' directions can be compared.
            source: What it was trained on, None if that is unknown.
        """
        super().__init__(weights, normaliser, threshold, k)
        self.partition = partition
        """The first latents belong to A alone, the next ones to B alone; the rest are shared."""
        self.same_space = same_space
        """Whether both models have one architecture, the same shapes and the same tokenizer."""
        self.source = source
        """What it was trained on, None if that is unknown."""

    @property
    def widths(self) -> tuple[int, int]:
        """The dimensions d_a and d_b."""
        a, b = self.weights.decoders
        return a.shape[1], b.shape[1]

    @cached_property
    def hash(self) -> str:
        """The first characters of a hash of everything that decides its activations."""
        return dictionary_hash(self)

    def activations(self, a: Tensor, b: Tensor) -> Tensor:
        """Returns the latents' activations at rows that both models have read.

        Args:
            a: Rows x d_a, the residual stream of A as the model has it.
            b: Rows x d_b, the same of B.

        Returns:
            Rows x latents, float32, on the dictionary's device; 0 where a latent is not active.
        """
        return self.encode(self.inputs(a, b))

    @staticmethod
    def inputs(a: Tensor, b: Tensor) -> Inputs:
        """Returns what the crosscoder reads and reconstructs: the activations of both models."""
        return a, b

    def direction(self, latent: int, side: Side) -> Tensor:
        """Returns what one unit of a latent's activation adds to a model's raw residual stream."""
        place = 0 if side == "a" else 1
        return self.weights.decoders[place][latent] / self.normaliser.scales[place]

    def to(self, device: str) -> "Crosscoder":
        """Returns the same crosscoder on another device."""
        return Crosscoder(
            self.weights.to(device),
            self.normaliser.to(device),
            threshold=self.threshold,
            k=self.k,
            partition=self.partition,
            same_space=self.same_space,
            source=self.source,
        )

    def save(self, folder: Path) -> None:
        """Writes the crosscoder as `config.json` and `model.safetensors`; `load` returns exactly the same.

        Raises:
            SettingError: The folder cannot be written.
        """
        save_parts(self, folder, {"partition": list(self.partition), "same_space": self.same_space}, self.source)

    @classmethod
    def load(cls, folder: Path, device: str = "cpu") -> "Crosscoder":
        """Opens a crosscoder that `save` wrote.

        Raises:
            SettingError: The folder does not hold such a crosscoder.
        """
        parts = load_parts(folder, inputs=2)
        return cls(
            parts.weights,
            parts.normaliser,
            threshold=parts.threshold,
            k=parts.k,
            partition=parts.partition,
            same_space=parts.same_space,
            source=parts.source,
        ).to(device)
