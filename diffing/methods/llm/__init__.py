"""The LLM method: an LLM describes how responses differ, and proposes hypotheses from these differences."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diffing.methods.llm.method import Embedder, LlmMethod

__all__ = ["Embedder", "LlmMethod"]


def __getattr__(name: str) -> object:
    """Loads the method when it is first asked for: its plan, which every command reads, does without."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from diffing.methods.llm import method

    return getattr(method, name)
