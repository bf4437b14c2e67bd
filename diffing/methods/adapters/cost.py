"""What training adapters costs, in floating-point operations, time and memory, told before it begins."""

from diffing.errors import ModelError

_TRAINING = 14
"""Operations per parameter and token: 4 for the hybrid (forward and back), 2 for the tuned model, 8 for the cuts."""
_READING = 2
"""Operations per parameter and token of one forward pass."""
_PER_MINUTE = 60 * 3e14
"""Operations per minute of one H100 at 40 % of its peak."""
_MOST_ON_CPU = 1e15
_TRAINED_BYTES = 16
"""Bytes per trained parameter: the weight, its gradient and Adam's two moments, in float32."""


def training_operations(parameters: int, tokens: int) -> float:
    """The number of operations of training.

    Args:
        parameters: The parameters of one model.
        tokens: The tokens trained on, over all passes.
    """
    return float(_TRAINING * parameters * tokens)


def reading_operations(parameters: int, tokens: int) -> float:
    """The number of operations of reading tokens once with the hybrid."""
    return float(_READING * parameters * tokens)


def minutes(operations: float) -> float:
    """The time on one H100 in minutes."""
    return operations / _PER_MINUTE


def trained_parameters(blocks: int, width: int, features: int) -> int:
    """The number of trained parameters.

    Args:
        blocks: The number of blocks.
        width: The width of the model.
        features: The number of features of each block.
    """
    return blocks * (2 * width * features + features + width)


def memory_bytes(models: int, trained: int) -> int:
    """The memory that training takes, without activations.

    Args:
        models: The bytes of the weights of both models.
        trained: The number of trained parameters.
    """
    return models + _TRAINED_BYTES * trained


def check_cpu(operations: float) -> None:
    """Refuses a training that would take days on a processor.

    Raises:
        ModelError: It takes too many operations.
    """
    if operations > _MOST_ON_CPU:
        raise ModelError(
            f"Training adapters takes about {operations:.0e} operations, too many for a CPU (at most "
            f"{_MOST_ON_CPU:.0e}); a GPU takes about {max(minutes(operations), 1):,.0f} min. Use a machine with a GPU "
            "(--on jobs rents one), smaller models, or published adapters (--adapters)"
        )
