"""What this machine is, in words, and what fits into a GPU that is lent."""

import os
from dataclasses import replace

from diffing.errors import ModelError
from diffing.model_ref import ModelRef, by_providers
from diffing.models.local import LocalModel, LocalOptions, ModelSize
from diffing.models.local.memory import MARGIN, gigabytes, this_machine

LENT_BYTES = 45_000_000_000
"""Memory of the GPU that is lent: half a card, of which `spaces` itself reckons with so much before it takes a whole
one, at twice the quota."""
_BYTES = {"float32": 4}


def zero_gpu() -> bool:
    """Whether this process runs on a ZeroGPU Space.

    A folder `spaces` beside the app imports too, as a package without anything in it.
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
        public: Whether strangers use it.

    Raises:
        MissingExtraError: torch is not installed.
    """
    if zero_gpu():
        return "This Space's GPU (ZeroGPU, from your daily quota)"
    return f"This {'Space' if public else 'machine'}'s {'GPU' if this_machine().gpu else 'CPU'}"


def find_model(spec: str | ModelRef, options: LocalOptions, token: str | bool | None) -> LocalModel:
    """A model that can run here; downloads no weights.

    On ZeroGPU it must fit into what is lent, and pass the check of the run's own process, which has no GPU: better now
    than when the quota is spent.

    Args:
        spec: The model.
        options: How it is loaded.
        token: Reads its files.

    Raises:
        DiffingError: It cannot be found, or does not run here.
    """
    if not zero_gpu():
        return LocalModel.load(spec, options=options, token=token)
    model = LocalModel.load(spec, options=replace(options, device="cpu"), token=token)
    check_room(str(spec), model.size, options.dtype)
    return model


def check_room(name: str, size: ModelSize, dtype: str = "auto") -> None:
    """Refuses a model that the lent GPU cannot hold: what `torch` says on ZeroGPU is the whole card's memory.

    Args:
        name: The model.
        size: Its parameters.
        dtype: The type its weights are loaded in.

    Raises:
        ModelError: Too big.
    """
    needed = (size.parameters * _BYTES.get(dtype, 2) if size.parameters else size.stored_bytes) * MARGIN
    if needed > LENT_BYTES:
        raise ModelError(
            f"{name} needs about {gigabytes(needed)} of GPU memory, ZeroGPU lends {gigabytes(LENT_BYTES)}: "
            f"use a provider ({by_providers(name)}) or a machine with a larger GPU."
        )
