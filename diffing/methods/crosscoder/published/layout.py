"""`PublishedWeights`: the weights of a published crosscoder in one form for all file layouts, with checks of shapes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from torch import Tensor  # noqa: TID253 - only reading a dictionary imports this module

from diffing.errors import ModelError
from diffing.methods.crosscoder.difference_dictionary import DifferenceDictionary
from diffing.methods.crosscoder.published.active_latents import LatentSelection
from diffing.methods.crosscoder.sparse_dictionary import DictionaryWeights, Normaliser

_LONGEST_NAME = 300
Measured: TypeAlias = Literal["mean norm", "standard score"]
"""What is measured on the run's train responses because the files do not hold it: factors that give the activations a
mean norm of the square root of the width, or the mean and the standard deviation of every dimension."""


@dataclass(frozen=True, slots=True)
class PublishedWeights:
    """A crosscoder as its files have it, its first model first."""

    name: str
    """Its name, for messages."""
    identity: str
    """Its name with a commit."""
    weights: DictionaryWeights
    """The weights."""
    selection: LatentSelection
    """Which latents are active at a row."""
    normaliser: Normaliser | Measured
    """What is done to activations before they are read, or what has to be measured for it."""
    models: tuple[str, str] | None = None
    """Its models in order, if its files name them."""
    mentioned: str | None = None
    """A text that names its models in an unknown order."""
    blocks: tuple[int, int] | None = None
    """The blocks whose output it reads, counted from 1, if its files name them."""
    difference: DifferenceDictionary | None = None
    """The difference dictionary beside it; only this package saves one."""

    @property
    def widths(self) -> tuple[int, int]:
        """The widths of both models."""
        a, b = self.weights.decoders
        return a.shape[1], b.shape[1]

    def swapped(self) -> "PublishedWeights":
        """The same crosscoder with both models exchanged."""
        weights, normaliser = self.weights, self.normaliser
        if isinstance(normaliser, Normaliser):
            normaliser = Normaliser(normaliser.means[::-1], normaliser.scales[::-1])
        return replace(
            self,
            weights=DictionaryWeights(
                weights.encoders[::-1], weights.bias, weights.decoders[::-1], weights.output_biases[::-1]
            ),
            selection=self.selection.swapped(),
            normaliser=normaliser,
            models=self.models and (self.models[1], self.models[0]),
            blocks=self.blocks and (self.blocks[1], self.blocks[0]),
            difference=self.difference and self.difference.negated(),
        )


def check_shapes(name: str, tensors: Mapping[str, Tensor], expected: Mapping[str, Sequence[int]]) -> None:
    """Requires tensors of these shapes, finite ones.

    Raises:
        ModelError: A tensor is missing, has another shape or holds numbers that are not finite.
    """
    for key, shape in expected.items():
        if key not in tensors:
            raise ModelError(f"{name} has no weights {key}: expected them beside the others. Use another crosscoder")
        found = tuple(tensors[key].shape)
        if found != tuple(shape):
            raise ModelError(
                f"{name}: its {key} is {_shape(found)}, expected {_shape(shape)} beside its other weights. Use another "
                "crosscoder"
            )
        if not tensors[key].float().isfinite().all():
            raise ModelError(f"{name}: its {key} holds numbers that are not finite. Use another crosscoder")


def shape_of(name: str, tensors: Mapping[str, Tensor], key: str) -> tuple[int, int, int]:
    """The three sizes of a tensor.

    Raises:
        ModelError: It has another number of dimensions, or an empty one.
    """
    shape = tuple(tensors[key].shape)
    if len(shape) != 3 or 0 in shape:
        raise ModelError(f"{name}: its {key} is {_shape(shape)}, expected three dimensions. Use another crosscoder")
    return shape[0], shape[1], shape[2]


def name_of(value: object) -> str | None:
    """Returns what files give as the name of a model; None if it is no short, printable text."""
    return value if isinstance(value, str) and 0 < len(value) <= _LONGEST_NAME and value.isprintable() else None


def _shape(sizes: Sequence[int]) -> str:
    return " x ".join(map(str, sizes)) or "one number"
