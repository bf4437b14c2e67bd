"""The SAE method: finds features of a sparse autoencoder that are active more often in one model's responses."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diffing.methods.sae.method import PRESETS, SaeMethod, SaeOptions, ScreenOptions

__all__ = ["PRESETS", "SaeMethod", "SaeOptions", "ScreenOptions"]


def __getattr__(name: str) -> object:
    """Imports the method when it is first used: every command imports the plan, which does not need the method."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from diffing.methods.sae import method

    return getattr(method, name)
