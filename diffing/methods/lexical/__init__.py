"""The lexical method: finds differences in properties, words and phrases that can be counted, without any LLM."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diffing.methods.lexical.method import LexicalMethod, PhraseSearch

__all__ = ["LexicalMethod", "PhraseSearch"]


def __getattr__(name: str) -> object:
    """Imports the method when it is first used: every command imports the plan, which does not need the method."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from diffing.methods.lexical import method

    return getattr(method, name)
