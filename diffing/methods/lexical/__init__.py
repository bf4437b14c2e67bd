"""The lexical method: what can be counted in both responses."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diffing.methods.lexical.method import LexicalMethod, PhraseSearch

__all__ = ["LexicalMethod", "PhraseSearch"]


def __getattr__(name: str) -> object:
    """Loads the method when it is first asked for: its plan, which every command reads, does without."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from diffing.methods.lexical import method

    return getattr(method, name)
