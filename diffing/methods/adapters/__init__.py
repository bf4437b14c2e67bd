"""The adapters method: trains sparse features of what fine-tuning changed in a model's MLPs, and compares their use."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diffing.methods.adapters.hybrid_preparation import AdapterOptions
    from diffing.methods.adapters.method import AdaptersMethod, AdaptersOptions

__all__ = ["AdapterOptions", "AdaptersMethod", "AdaptersOptions"]


def __getattr__(name: str) -> object:
    """Imports the method when it is first used: every command imports the plan, which does not need the method."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from diffing.methods.adapters import hybrid_preparation, method

    return getattr(hybrid_preparation if name == "AdapterOptions" else method, name)
