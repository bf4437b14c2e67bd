"""The scope of a hypothesis: the prompts that it speaks of, if these are not all prompts."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

ScopeKind: TypeAlias = Literal["stated"]


@dataclass(frozen=True, slots=True)
class Scope:
    """A condition on prompts. Whether a prompt meets it is decided from the prompt alone, never from the responses."""

    kind: ScopeKind
    """`stated`: an LLM put the condition into words, and the judge decides for each prompt whether it holds."""
    words: str
    """The condition as a clause that begins with "when", such as `when asked for medical advice`."""
