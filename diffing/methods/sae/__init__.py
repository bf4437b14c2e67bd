"""The SAE method: features of a reader that differ between the two sides."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diffing.methods.sae.method import PRESETS, SaeMethod, SaeOptions, ScreenOptions

__all__ = ["PRESETS", "SaeMethod", "SaeOptions", "ScreenOptions"]


def __getattr__(name: str) -> object:
    """Loads the method when it is first asked for: its plan, which every command reads, does without."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from diffing.methods.sae import method

    return getattr(method, name)
