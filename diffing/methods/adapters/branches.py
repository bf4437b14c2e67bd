"""The trained weights of adapters: for each MLP of a model, a branch of sparse features that adds to its output.

Source: arXiv 2602.20904 (transcoder adapters), whose author's layout of files is also ours. This module knows no model.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class AdapterBranch:
    """The branch beside the MLP of one block: `W_dec ReLU(W_enc u + c) + b`, in float32."""

    w_enc: "Tensor"
    """Features x width."""
    c: "Tensor"
    """The bias of each feature."""
    w_dec: "Tensor"
    """Width x features: the columns are the directions that the features write."""
    b: "Tensor"
    """The bias of the output, as wide as the model."""

    def features(self, u: "Tensor") -> "Tensor":
        """The activations of all features.

        Args:
            u: The input of the MLP, ... x width.

        Returns:
            ... x features, float32, at least 0.
        """
        import torch

        return torch.nn.functional.linear(u.float(), self.w_enc, self.c).relu()

    def output(self, features: "Tensor") -> "Tensor":
        """What features add to the output of the MLP; ... x width, float32."""
        import torch

        return torch.nn.functional.linear(features, self.w_dec, self.b)

    def norms(self) -> "Tensor":
        """The norm of each feature's direction."""
        import torch

        norms: Tensor = torch.linalg.vector_norm(self.w_dec, dim=0)
        return norms

    def tensors(self) -> tuple["Tensor", ...]:
        """The four weights in a fixed order."""
        return self.w_enc, self.c, self.w_dec, self.b


@dataclass(frozen=True, slots=True)
class AdapterBranches:
    """The branches of all blocks of a model, in order."""

    blocks: tuple[AdapterBranch, ...]
    """One branch per block."""

    @property
    def features(self) -> int:
        """The number of features of each block."""
        return int(self.blocks[0].c.shape[0])

    @property
    def width(self) -> int:
        """The width of the model."""
        return int(self.blocks[0].b.shape[0])

    @property
    def total(self) -> int:
        """The number of features of all blocks."""
        return len(self.blocks) * self.features

    def tensors(self) -> list["Tensor"]:
        """All weights in a fixed order."""
        return [tensor for branch in self.blocks for tensor in branch.tensors()]

    def named(self) -> Iterator[tuple[str, "Tensor"]]:
        """All weights with the keys under which files hold them."""
        for index, branch in enumerate(self.blocks):
            yield from zip(keys_of_block(index), branch.tensors(), strict=True)

    def place(self, index: int) -> tuple[int, int]:
        """The block and the number within it of a feature that is counted through all blocks."""
        return divmod(index, self.features)


def keys_of_block(block: int) -> tuple[str, str, str, str]:
    """The keys of one block's weights in files, in the order of `AdapterBranch.tensors`."""
    mlp = f"model.layers.{block}.mlp"
    encoder, decoder = f"{mlp}.transcoder_enc", f"{mlp}.transcoder_dec"
    return f"{encoder}.weight", f"{encoder}.bias", f"{decoder}.weight", f"{decoder}.bias"


def feature_name(branches: AdapterBranches, index: int) -> str:
    """The name of a feature, `block.number`, with blocks counted from 0 as in the keys of weights."""
    block, number = branches.place(index)
    return f"{block}.{number}"


def new_branches(blocks: int, width: int, features: int, seed: int) -> AdapterBranches:
    """Makes branches that add nothing yet: encoders are uniform within 1 / sqrt(width), all else is 0.

    Args:
        blocks: The number of blocks.
        width: The width of the model.
        features: The number of features of each block.
        seed: The seed of the encoders.
    """
    import torch

    random = torch.Generator().manual_seed(seed)
    bound = width**-0.5
    made = []
    for _ in range(blocks):
        w_enc = (2 * torch.rand(features, width, generator=random) - 1) * bound
        made.append(AdapterBranch(w_enc, torch.zeros(features), torch.zeros(width, features), torch.zeros(width)))
    return AdapterBranches(tuple(made))
