"""Words on which hardware local models run (CPU, GPU or ZeroGPU), and refuses models too large for ZeroGPU."""

import os
from dataclasses import replace

from diffing.errors import ModelError
from diffing.model_ref import ModelRef, by_providers
from diffing.models.local import LocalModel, LocalOptions, ModelSize
from diffing.models.local.memory import MARGIN, gigabytes, this_machine

LENT_BYTES = 45_000_000_000
"""Memory of the lent GPU: half a card. `spaces` assumes this size before it takes a whole card at twice the quota."""
_BYTES = {"float32": 4}


def zero_gpu() -> bool:
    """Whether this process runs on a ZeroGPU Space.

    The import alone proves nothing: a folder named `spaces` beside the app can be imported too, as an empty package.
    """
    if os.environ.get("SPACES_ZERO_GPU", "").lower() not in ("1", "t", "true"):
        return False
    try:
        import spaces
    except ImportError:
        return False
    return hasattr(spaces, "GPU")


def machine_in_words(*, public: bool) -> str:
    """Where local models run, for people: `This Space's GPU (ZeroGPU, from your daily quota)`, `This machine's CPU`.

    Args:
        public: Whether strangers use this machine.

    Raises:
        MissingExtraError: torch is not installed.
    """
    if zero_gpu():
        return "This Space's GPU (ZeroGPU, from your daily quota)"
    return f"This {'Space' if public else 'machine'}'s {'GPU' if this_machine().gpu else 'CPU'}"


def find_model(spec: str | ModelRef, options: LocalOptions, token: str | bool | None) -> LocalModel:
    """Looks up a model that can run here; downloads no weights.

    On ZeroGPU the model must fit on the lent GPU, and must pass the check of the run's own process, which has no GPU.
    It is better to fail now than after the quota is spent.

    Args:
        spec: The model.
        options: How the model is loaded.
        token: The token for reading its files.

    Raises:
        DiffingError: The model cannot be found, or cannot run here.
    """
    if not zero_gpu():
        return LocalModel.load(spec, options=options, token=token)
    model = LocalModel.load(spec, options=replace(options, device="cpu"), token=token)
    check_room(str(spec), model.size, options.dtype)
    return model


def check_room(name: str, size: ModelSize, dtype: str = "auto") -> None:
    """Refuses a model that does not fit on the lent GPU. On ZeroGPU, `torch` reports the memory of the whole card.

    Args:
        name: The model's name, for the message.
        size: The model's size.
        dtype: The type in which its weights are loaded.

    Raises:
        ModelError: The model is too large.
    """
    needed = (size.parameters * _BYTES.get(dtype, 2) if size.parameters else size.stored_bytes) * MARGIN
    if needed > LENT_BYTES:
        raise ModelError(
            f"{name} needs about {gigabytes(needed)} of GPU memory, ZeroGPU lends {gigabytes(LENT_BYTES)}: "
            f"use a provider ({by_providers(name)}) or a machine with a larger GPU."
        )
