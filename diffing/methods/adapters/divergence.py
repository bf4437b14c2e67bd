"""Computes the KL divergence by which transcoder adapters are trained; its gradient is exactly 0 if nothing differs.

It compares next-token distributions. Automatic differentiation gives `p_h sum(p_t) - p_t`, and a sum of probabilities
is 1 only up to rounding. Adam divides gradients by their size, so that even rounding errors would train branches where
nothing differs.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


def divergence(tuned: "Tensor", other: "Tensor") -> "Tensor":
    """The sum over positions of KL(tuned || other).

    Args:
        tuned: Log-probabilities, positions x tokens; no gradient flows into them.
        other: Log-probabilities of the same shape, normalised.
    """
    result: Tensor = _function().apply(tuned, other)
    return result


def each_divergence(tuned: "Tensor", other: "Tensor") -> "Tensor":
    """KL(tuned || other) of each position, without gradients."""
    return (tuned.exp() * (tuned - other)).sum(dim=-1)


@cache
def _function() -> Any:  # noqa: ANN401 - torch is imported when it is first needed
    import torch

    class Divergence(torch.autograd.Function):
        """Its gradient is that with regard to the logits, which passes the logarithm of softmax unchanged."""

        @staticmethod
        def forward(ctx: Any, tuned: "Tensor", other: "Tensor") -> "Tensor":  # noqa: ANN401
            ctx.save_for_backward(tuned, other)
            return each_divergence(tuned, other).sum()

        @staticmethod
        def backward(ctx: Any, gradient: "Tensor") -> tuple[None, "Tensor"]:  # noqa: ANN401
            tuned, other = ctx.saved_tensors
            return None, gradient * (other.exp() - tuned.exp())

    return Divergence
