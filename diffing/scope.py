"""`Scope`: the condition on prompts under which a hypothesis holds, if it is not about all of them."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

ScopeKind: TypeAlias = Literal["stated", "measured"]
TermKind: TypeAlias = Literal["domain", "part", "word", "form"]
Junction: TypeAlias = Literal["and", "or", "without"]


@dataclass(frozen=True, slots=True)
class Term:
    """One condition on a prompt that is read from the prompt itself, without a model."""

    kind: TermKind
    """`domain`: the prompt's domain; `part`: a word in the names of several domains; `word`: one or two words of the
    last user message; `form`: its length, its end or its lines."""
    value: str
    """The domain, the word, or the name of the form."""


@dataclass(frozen=True, slots=True)
class ScopeRule:
    """Up to three conditions on a prompt, joined in one way."""

    terms: tuple[Term, ...]
    """The conditions, at least one."""
    junction: Junction | None = None
    """How they are joined; `without`: the first holds and the second does not; None for a single condition."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A condition on prompts. Whether a prompt meets it is decided from the prompt alone, never from the responses."""

    kind: ScopeKind
    """`stated`: an LLM put the condition into words, and the judge decides for each prompt whether it holds;
    `measured`: a rule decides."""
    words: str
    """The condition as a clause that begins with "when", such as `when asked for medical advice`."""
    rule: ScopeRule | None = None
    """The rule of a measured scope; None for a stated one."""
