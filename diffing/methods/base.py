"""Interfaces of a method: `Method` finds hypotheses; `MethodPlan` describes a method to a run before it begins.

`diffing/registry.py` lists the plans. A plan holds a method's settings, the checks of these, its stages, an estimate
of its cost, and how to build it. Every command imports all plans, so their modules must not import slow libraries.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, runtime_checkable

from diffing import registry
from diffing.costs import ResponseLengths, StageEstimate
from diffing.counting_errors import CountingErrors
from diffing.models.base import Model
from diffing.run_settings import RunSettings
from diffing.settings import Settings
from diffing.stages import Step
from diffing.types import (
    Discovery,
    Hypothesis,
    Judgement,
    Measure,
    ModelInfo,
    OnProgress,
    Pair,
    Prompt,
    Side,
    Stage,
    ignore_progress,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from diffing.models.cache import Store
    from diffing.models.process_group import ProcessGroup


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


Tier: TypeAlias = Literal["answering", "stance", "structure", "length", "other"]
"""What a property is about, by how much a reader wants to know it: whether a model answers, its manner, the structure
of a response, its length, anything else."""


@dataclass(frozen=True, slots=True)
class PropertyInfo:
    """A property of a response that a method measures, for readers and for other parts of a run."""

    sentence: str
    """What is true of the model that has more of it."""
    definition: str = ""
    """What exactly is counted, in words."""
    tier: Tier = "other"
    """What it is about."""
    group: str = ""
    """The group of properties that are signs of one behaviour, such as `refusing`; empty if it is in none."""
    only_signs: bool = False
    """Whether what is counted are only signs of a behaviour, so that readers should see examples of it."""
    counts_words: bool = False
    """Whether it counts certain words wherever they stand, and not something that a response does once."""
    accuracy: str = ""
    """How well the count agrees with human labels, in full sentences with their source; empty if never measured."""
    errors: CountingErrors | None = None
    """The same in numbers, from which `counting_errors.caution` tells whether they could make a difference."""


@dataclass(frozen=True, slots=True)
class PropertyExample:
    """A response in which a property was measured."""

    prompt_id: str
    """The prompt that it answers."""
    side: Side
    """The model."""
    value: float | None
    """What was measured; 0 if the property is absent."""
    quote: str
    """The passage that shows the property, or the first words of the response; it may be empty."""


@dataclass(frozen=True, slots=True)
class PropertyExamples:
    """Responses that let a reader judge what a property counts."""

    counted: tuple[PropertyExample, ...] = ()
    """Up to three responses in which it is counted, of both models if possible."""
    not_counted: tuple[PropertyExample, ...] = ()
    """Up to three responses in which it is not."""
    responses: tuple[int, int] = (0, 0)
    """The number of responses of each model in which it can be determined."""
    responses_counted: tuple[int, int] = (0, 0)
    """The number of these in which it is counted."""
    unknown: int = 0
    """The number of responses of both models in which it cannot be determined."""


class Tools(Protocol):
    """Resources that a method may use when it is built."""

    @property
    def store(self) -> "Store":
        """The store in which completions and activations are cached."""

    @property
    def heldout(self) -> "Sequence[Prompt]":
        """The held-out prompts of the run, so that a method that trains on other texts can leave these out."""

    @property
    def compared(self) -> tuple[Model, Model]:
        """Models A and B with their system prompts, for a method that has them answer prompts of its own."""

    @property
    def group(self) -> "ProcessGroup | None":
        """The processes that share the run; None for a single one."""

    def helper(self, spec: str) -> Model:
        """Returns the LLM for a model string; the same string gives the same object."""


class MethodPlan(Protocol):
    """Describes a method before a run begins. Subclasses define `name`, `title`, `hint`, `heading` and `build`."""

    name: str
    """The method's short name, as in the registry."""
    title: str
    """The method's name in the form of the page."""
    hint: str
    """What the method does, in one or two sentences, for the form."""
    heading: str
    """The heading above the method's hypotheses while a run is in progress."""
    settings: type[Settings] = Settings
    """The method's own settings, which become a part of `DiffConfig`; their names must differ from all others."""
    stages: tuple[Stage, ...] = ()
    """All stages that the method can have, as progress and usage name them."""
    judged: bool = False
    """Whether the judge tests the method's hypotheses; a method that measures tests them itself."""
    asks_llm: bool = False
    """Whether the setting `llm` affects the method."""

    def runs_unasked(self, config: RunSettings) -> bool:
        """Tells whether a run that names no methods includes this one."""
        return False

    def check(self, config: RunSettings) -> None:
        """Refuses settings that are certain to fail, before a model is loaded or a call is paid for.

        Raises:
            SettingError: A setting is missing or cannot be used.
        """
        return

    def check_public(self, config: RunSettings) -> None:
        """Refuses settings that a visitor may not use on a public server.

        Raises:
            SettingError: A setting is not allowed there.
        """
        return

    def not_named(self, config: RunSettings) -> str:
        """Returns what the form should ask for if a setting that the method needs is empty; otherwise empty."""
        return ""

    def obstacle(self) -> str:
        """Returns why the method cannot run on this machine; empty if it can."""
        return ""

    def loads(self, config: RunSettings) -> Mapping[str, str]:
        """Returns the models that it loads on this machine: model strings by their role, such as `Reader`."""
        return {}

    def steps(self, config: RunSettings) -> tuple[Step, ...]:
        """Lists the steps of the method, in order, for the progress page; each step names its stages."""
        return (Step(f"{self.title}: looking for differences", self.hint, self.stages),) if self.stages else ()

    def estimate(self, config: RunSettings, prompts: Sequence[Prompt], lengths: ResponseLengths) -> list[StageEstimate]:
        """Estimates the calls and tokens of the method's stages.

        Args:
            config: The settings of the run.
            prompts: All prompts of the run.
            lengths: The lengths of the responses to them.
        """
        return []

    def hypotheses(self, config: RunSettings, prompts: Sequence[Prompt]) -> int:
        """Estimates how many hypotheses the method will find for the judge to test."""
        return 0

    def measured(self, config: RunSettings, prompts: Sequence[Prompt]) -> int:
        """Estimates how many hypotheses the method will measure itself."""
        return 0

    def brings_verdicts(self, config: RunSettings) -> bool:
        """Tells whether the method has verdicts on train pairs already, so the judge need not judge these."""
        return False

    def assumptions(self, config: RunSettings) -> tuple[str, ...]:
        """Lists the assumptions of the estimate, in full sentences."""
        return ()

    def properties(self) -> Mapping[str, PropertyInfo]:
        """The properties of a response that it measures, by name.

        The names are those of `PropertyMeasure` and of `Hypothesis.speaks_of`.
        """
        return {}

    def property_examples(self, name: str, pairs: Sequence[Pair]) -> PropertyExamples:
        """Finds responses in which one of its properties is counted, and others in which it is not.

        Args:
            name: A key of `properties`.
            pairs: The pairs of a report.
        """
        return PropertyExamples()

    def build(self, config: RunSettings, tools: Tools) -> Method:
        """Builds the method for a run.

        Raises:
            DiffingError: A model is not available.
        """


def method_plans() -> dict[str, MethodPlan]:
    """Returns the plans of all methods by name, in the order in which methods run."""
    return {name: registry.load(place) for name, place in registry.METHODS.items()}


def measured_properties() -> dict[str, PropertyInfo]:
    """The properties that any method measures, by name."""
    return {name: info for plan in method_plans().values() for name, info in plan.properties().items()}


def property_examples(name: str, pairs: Sequence[Pair]) -> PropertyExamples:
    """Finds responses in which a property is counted, and others in which it is not.

    Args:
        name: A key of `measured_properties`.
        pairs: The pairs of a report.
    """
    plan = next(plan for plan in method_plans().values() if name in plan.properties())
    return plan.property_examples(name, pairs)


def property_sentences() -> dict[str, str]:
    """The properties that any method measures: by name, what is true of the model that has more of one."""
    return {name: info.sentence for name, info in measured_properties().items()}


def plans_of(config: RunSettings) -> tuple[MethodPlan, ...]:
    """Returns the plans of the methods that a run uses; unknown names are ignored."""
    plans = method_plans()
    return tuple(plans[name] for name in config.methods if name in plans)
