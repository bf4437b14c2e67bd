"""The interfaces of a method: `Method` finds hypotheses on train pairs; the others say what else a method can do."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from diffing.types import (
    Discovery,
    Hypothesis,
    Judgement,
    Measure,
    ModelInfo,
    OnProgress,
    Pair,
    Side,
    ignore_progress,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Method(Protocol):
    """Finds hypotheses on train pairs."""

    @property
    def name(self) -> str:
        """The method's short name, such as `llm`, `sae` or `lexical`."""

    @property
    def models(self) -> tuple[ModelInfo, ...]:
        """The models that the method uses, for the report."""

    def find_hypotheses(self, pairs: Sequence[Pair], on_progress: OnProgress = ignore_progress) -> Discovery:
        """Proposes hypotheses about what differs; it may look at train pairs only."""


@runtime_checkable
class MeasuringMethod(Method, Protocol):
    """A method that tests its own hypotheses by measurement instead of by a judge."""

    def measure(self, hypotheses: Sequence[Hypothesis], pairs: Sequence[Pair]) -> list[Judgement]:
        """Returns one verdict for each hypothesis of this method and each pair, ordered by hypothesis, then pair."""


@dataclass(frozen=True, slots=True, eq=False)
class Measurements:
    """What a method measured on some pairs."""

    judgements: list[Judgement]
    """One verdict for each hypothesis and each pair, ordered by hypothesis, then pair."""
    values: Mapping[Measure, "NDArray[np.float64]"]
    """By measure, what was found in the whole responses of side a and side b; shape (2, pairs). It is 0 if a response
    does not show it, else 1 or, if it can be counted, how much; NaN if it is unknown."""


class MeasuresByValue(ABC):
    """Base class of methods whose verdicts come from values that they measure in every response."""

    @abstractmethod
    def measure_values(self, hypotheses: Sequence[Hypothesis], pairs: Sequence[Pair]) -> Measurements:
        """See `ValueMethod.measure_values`."""

    def measure(self, hypotheses: Sequence[Hypothesis], pairs: Sequence[Pair]) -> list[Judgement]:
        """Returns the verdicts of `measure_values`, ordered by hypothesis, then pair."""
        return self.measure_values(hypotheses, pairs).judgements


@runtime_checkable
class ValueMethod(MeasuringMethod, Protocol):
    """A measuring method that also tells what it measured in each response, so that a report can give levels."""

    def measure_values(self, hypotheses: Sequence[Hypothesis], pairs: Sequence[Pair]) -> Measurements:
        """Measures as `measure` does, and returns the measured values with the verdicts."""


def measurements(method: MeasuringMethod, hypotheses: Sequence[Hypothesis], pairs: Sequence[Pair]) -> Measurements:
    """What a method measures on some pairs, without values if it does not tell them."""
    if isinstance(method, ValueMethod):
        return method.measure_values(hypotheses, pairs)
    return Measurements(method.measure(hypotheses, pairs), {})


@runtime_checkable
class ShowingMethod(Method, Protocol):
    """A method that can point at the sentences of a response that show what it measures."""

    def sentences_shown(self, measures: Sequence[Measure], pair: Pair, side: Side) -> Sequence[frozenset[int] | None]:
        """Finds the sentences of one response that show each measure.

        Args:
            measures: Measures of any method.
            pair: The pair that contains the response.
            side: The side of the response.

        Returns:
            Per measure the numbers of the sentences, which are empty if no single sentence shows it; None if the
            response does not show it, or the measure belongs to another method.
        """


@runtime_checkable
class SeededMethod(Method, Protocol):
    """A method with judged hypotheses that depend on a seed, so that a run can be repeated with another one."""

    def reseeded(self, by: int) -> Method:
        """Returns the same method with another seed: its own seed plus `by`."""


@runtime_checkable
class SharedReadingMethod(Method, Protocol):
    """A method that reads responses with a model, a work that several processes of a run can share."""

    def read_share(self, pairs: Sequence[Pair], on_progress: OnProgress = ignore_progress) -> None:
        """Reads this process's share of the responses and takes over the rest; does nothing in a single process."""


@runtime_checkable
class AmplifiedSearchMethod(Method, Protocol):
    """A method that also finds hypotheses in answers in which the differences of both models are amplified."""

    def find_in_amplified(
        self, amplified: Sequence[Pair], pairs: Sequence[Pair], on_progress: OnProgress = ignore_progress
    ) -> Discovery:
        """Proposes hypotheses that amplified answers suggest.

        Amplified answers are those of neither model: evidence, effects and verdicts must come from the plain ones.

        Args:
            amplified: The amplified answers to the train prompts.
            pairs: The train pairs, with the models' own answers.
            on_progress: Called with the progress of the search.
        """
