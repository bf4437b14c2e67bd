"""Estimates what training adapters costs, in floating-point operations and minutes, before it begins."""

from diffing.errors import ModelError

TOKENS = 5_000_000
"""The number of tokens that branches are trained on by default."""
PASSES = 4
"""The largest number of times that a chat is trained on."""
CHATS = 12
"""The number of chats of each step."""
TRAINING = 14
"""Operations per parameter and token: 4 for the hybrid (forward and back), 2 for the tuned model, 8 for the cuts."""
_PER_MINUTE = {True: 60 * 3e14, False: 60 * 5e10}
"""Operations per minute of one H100 at 40% of its peak, and of a CPU."""
MOST_ON_CPU = 1e15


def training_operations(parameters: int, tokens: int) -> float:
    """The number of operations of training.

    Args:
        parameters: The parameters of one model.
        tokens: The tokens trained on, over all passes.
    """
    return float(TRAINING * parameters * tokens)


def minutes(operations: float, *, gpu: bool) -> float:
    """The time in minutes, on one H100 or on a CPU."""
    return operations / _PER_MINUTE[gpu]


def check_cpu(operations: float) -> None:
    """Refuses a training that would take days on a processor.

    Raises:
        ModelError: It takes too many operations.
    """
    if operations > MOST_ON_CPU:
        raise ModelError(
            f"Training adapters takes about {operations:.0e} operations, too many for a CPU (at most "
            f"{MOST_ON_CPU:.0e}); a GPU takes about {max(minutes(operations, gpu=True), 1):,.0f} min. Use a machine "
            "with a GPU (--on jobs rents one), smaller models, or published adapters (--adapters)"
        )
