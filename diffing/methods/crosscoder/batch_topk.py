"""BatchTopK, the activation function of crosscoders: keeps the largest latents of a batch; derives a threshold.

Source: arXiv 2504.02922. Knows nothing of dictionaries.
"""

import torch  # noqa: TID253 - only training a dictionary imports this module
from torch import Tensor  # noqa: TID253

_DECAY = 0.999


def keep_largest(scores: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Finds the largest scores of a batch.

    Args:
        scores: Rows x latents, none negative.
        count: How many are kept; fewer if fewer are positive.

    Returns:
        A mask like the scores, and the smallest score that is kept (infinity if none is).
    """
    largest = scores.flatten().topk(min(count, scores.numel()), sorted=False).values
    smallest = torch.where(largest > 0, largest, torch.inf).min()
    # compared instead of scattered: which of several equal scores `topk` returns differs between devices
    return scores >= smallest, smallest


class ThresholdAverage:
    """The exponential moving average (0.999) of the smallest kept scores, without a bias towards the first ones."""

    def __init__(self, device: str = "cpu") -> None:
        self.total = torch.zeros((), dtype=torch.float64, device=device)
        """The average, times one minus the decay to the number of scores."""
        self.scores = 0
        """The number of scores so far."""

    def add(self, smallest: Tensor) -> None:
        """Adds the smallest kept score of a batch; infinity (nothing was kept) does not change the average."""
        finite = torch.where(torch.isfinite(smallest), smallest.double(), self.value)
        self.total = self.total * _DECAY + finite * (1 - _DECAY)
        self.scores += 1

    @property
    def value(self) -> Tensor:
        """The average so far; 0 before the first score."""
        return self.total / (1 - _DECAY**self.scores) if self.scores else torch.zeros_like(self.total)
