"""`Hypothesis`, a sentence that says how one model differs from the other, and the passages that suggested it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from diffing.estimates import Metrics
from diffing.scope import Scope
from diffing.types.measures import Measure
from diffing.types.pairs import Side


@dataclass(frozen=True, slots=True)
class Evidence:
    """A quoted passage of a response that illustrates a hypothesis."""

    prompt_id: str
    """The prompt id of the pair that contains the passage."""
    side: Side
    """The side whose response is quoted."""
    quote: str
    """The quoted text."""


Category: TypeAlias = Literal[
    "capability", "safety and alignment", "style", "reasoning", "knowledge and stance", "format", "language"
]


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A testable sentence that says how one model differs from the other."""

    id: str
    """Identifier, unique in a run and the same in every rerun: `<method>-<hash of text and direction>`."""
    text: str
    """The sentence. It starts with `<MODEL>`, which stands for the model of `direction`; the other model is
    `<OTHER MODEL>`."""
    direction: Side
    """The side for which the sentence is predicted to hold more often."""
    method: str
    """The name of the method that proposed the hypothesis."""
    category: Category
    """The category of the difference."""
    evidence: tuple[Evidence, ...] = ()
    """Passages that suggested the hypothesis."""
    measure: Measure | None = None
    """How the method measures the hypothesis; None if a judge tests it."""
    train_effect: float | None = None
    """The method's own measure of the difference on train (a share, positive for `direction`), if it computes one."""
    speaks_of: str | None = None
    """The measured property that, according to the sentence, its model has more of; None if the LLM that wrote the
    sentence named none."""
    scope: Scope | None = None
    """The prompts that the hypothesis speaks of; None if it speaks of all."""


OnHypotheses: TypeAlias = Callable[[Sequence[tuple[Hypothesis, Metrics | None]]], None]
"""Callback `on_hypotheses(hypotheses)` with the untested hypotheses of one method, each with its metrics on train if
the method measures."""


def ignore_hypotheses(hypotheses: Sequence[tuple[Hypothesis, Metrics | None]]) -> None:
    """A callback for hypotheses that does nothing."""
