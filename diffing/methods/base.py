"""What a method is to the pipeline. Knows no method."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from diffing.types import Discovery, Hypothesis, Judgement, ModelInfo, OnProgress, Pair, ignore_progress


class Method(Protocol):
    """Finds hypotheses on train pairs."""

    @property
    def name(self) -> str:
        """Short name: `llm`, `sae`, `lexical`."""

    @property
    def models(self) -> tuple[ModelInfo, ...]:
        """The models it asks, for the report."""

    def find_hypotheses(self, pairs: Sequence[Pair], on_progress: OnProgress = ignore_progress) -> Discovery:
        """Looks at train pairs only and says what might differ."""


@runtime_checkable
class MeasuringMethod(Method, Protocol):
    """A method that tests its own hypotheses by measurement instead of by a judge."""

    def measure(self, hypotheses: Sequence[Hypothesis], pairs: Sequence[Pair]) -> list[Judgement]:
        """One verdict for every hypothesis of this method and every pair, hypotheses outermost."""
