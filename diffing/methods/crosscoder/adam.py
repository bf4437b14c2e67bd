"""Adam (Kingma and Ba 2015) with clipped gradients, on plain tensors whose moments go into checkpoints.

torch.optim would import PyTorch's compiler at its first step, which takes four seconds.
"""

from collections.abc import Sequence

import torch  # noqa: TID253 - only training a dictionary imports this module
from torch import Tensor  # noqa: TID253

_FIRST_DECAY, _SECOND_DECAY, _EPSILON = 0.9, 0.999, 1e-8
_LARGEST_GRADIENT = 1.0


class Adam:
    """The optimizer of some parameters."""

    def __init__(self, parameters: Sequence[Tensor]) -> None:
        self._parameters = parameters
        self.first_moments = [torch.zeros_like(parameter) for parameter in parameters]
        """The moving averages of the gradients, one per parameter."""
        self.second_moments = [torch.zeros_like(parameter) for parameter in parameters]
        """The moving averages of the squared gradients, one per parameter."""

    def step(self, loss: Tensor, rate: float, number: int) -> None:
        """Changes the parameters in place.

        Args:
            loss: What is minimised.
            rate: The learning rate of this step.
            number: The number of the step, from 1.
        """
        gradients = clipped(torch.autograd.grad(loss, self._parameters))
        first_share, second_share = 1 - _FIRST_DECAY**number, 1 - _SECOND_DECAY**number
        moments = zip(self._parameters, gradients, self.first_moments, self.second_moments, strict=True)
        with torch.no_grad():
            for parameter, gradient, first, second in moments:
                first.lerp_(gradient, 1 - _FIRST_DECAY)
                second.mul_(_SECOND_DECAY).addcmul_(gradient, gradient, value=1 - _SECOND_DECAY)
                size = (second / second_share).sqrt_().add_(_EPSILON)
                parameter.addcdiv_(first, size, value=-rate / first_share)


def clipped(gradients: Sequence[Tensor]) -> list[Tensor]:
    """Scales gradients so that their common norm is at most 1."""
    norm = torch.stack([gradient.norm() for gradient in gradients]).norm()
    factor = (_LARGEST_GRADIENT / (norm + 1e-6)).clamp_max(1.0)
    return [gradient * factor for gradient in gradients]
