"""Estimates what training a crosscoder costs, in operations, minutes, memory and disk space, before it begins."""

from dataclasses import dataclass

from diffing.errors import ModelError
from diffing.methods.crosscoder.training_settings import default_size

_PER_SECOND = 3e14
"""Operations per second of one H100 at 40% of its peak."""
_PER_SECOND_ON_CPU = 5e10
"""Operations per second of a processor with a few cores."""
MOST_ON_CPU = 1e15
"""A training with more operations would take days on a processor."""
BYTES_PER_WEIGHT = 32
"""Bytes in training per latent and dimension: encoder and decoder with gradients and Adam's moments, in float32."""
_BYTES_PER_PARAMETER = 2
_BUFFER_ROWS = 1 << 17
_WIDTHS = ((5e7, 128), (1e9, 896), (4e9, 2_304), (float("inf"), 4_096))
"""Up to which number of parameters a model is assumed to have which width."""


@dataclass(frozen=True, slots=True)
class TrainingCost:
    """What a training takes."""

    parameters: tuple[int, int]
    """The parameters below the cut of both models."""
    widths: tuple[int, int]
    """The widths of both models."""
    latents: int
    """The number of latents."""
    rows: int
    """The number of rows to train on."""

    @property
    def operations(self) -> float:
        """Floating-point operations: reading with both models, and 12 per latent and dimension of both."""
        return float(self.rows) * (2 * sum(self.parameters) + 12 * self.latents * sum(self.widths))

    @property
    def memory(self) -> int:
        """Bytes in memory: both models below the cut, the dictionary with Adam's moments, and the buffer of rows."""
        weights = _BYTES_PER_PARAMETER * sum(self.parameters)
        return weights + BYTES_PER_WEIGHT * self.latents * sum(self.widths) + 2 * _BUFFER_ROWS * sum(self.widths)

    @property
    def disk(self) -> int:
        """Bytes of the saved state of the training: weights and moments."""
        return 24 * self.latents * sum(self.widths)

    def minutes(self, *, gpu: bool) -> float:
        """The time on one H100, or on a processor."""
        return self.operations / (_PER_SECOND if gpu else _PER_SECOND_ON_CPU) / 60

    def check_cpu(self) -> None:
        """Refuses a training that would take days on a processor.

        Raises:
            ModelError: It takes too many operations.
        """
        if self.operations > MOST_ON_CPU:
            raise ModelError(
                f"Training a crosscoder takes about {self.operations:.0e} operations, too many for a CPU (at most "
                f"{MOST_ON_CPU:.0e}); a GPU takes about {max(self.minutes(gpu=True), 1):,.0f} min. Use a machine with "
                "a GPU (--on jobs rents one), smaller models, or fewer latents (--dictionary-size)"
            )


def expected_cost(parameters: tuple[int, int], depth: float, latents: int | None) -> TrainingCost:
    """Estimates the cost of a training from the sizes of the models alone.

    Args:
        parameters: All parameters of both models.
        depth: The share of the blocks that are read.
        latents: The number of latents; None for the default.
    """
    a, b = (next(width for most, width in _WIDTHS if count <= most) for count in parameters)
    size, rows = default_size((a, b))
    below = (round(depth * parameters[0]), round(depth * parameters[1]))
    return TrainingCost(below, (a, b), latents or size, rows)
