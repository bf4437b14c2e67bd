"""Interfaces of a method: `Method` finds hypotheses; `MethodPlan` describes a method to a run before it begins.

`diffing/registry.py` lists the plans. A plan holds a method's settings, the checks of these, its stages, an estimate
of its cost, and how to build it. Every command imports all plans, so their modules must not import slow libraries.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, runtime_checkable

from diffing import registry
from diffing.costs import ResponseLengths, StageEstimate
from diffing.models.base import Model
from diffing.run_settings import RunSettings
from diffing.settings import Settings
from diffing.stages import Step
from diffing.types import Discovery, Hypothesis, Judgement, ModelInfo, OnProgress, Pair, Prompt, Stage, ignore_progress

if TYPE_CHECKING:
    from diffing.models.cache import Store


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


@runtime_checkable
class SeededMethod(Method, Protocol):
    """A method with judged hypotheses that depend on a seed, so that a run can be repeated with another one."""

    def reseeded(self, by: int) -> Method:
        """Returns the same method with another seed: its own seed plus `by`."""


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
    accuracy: str = ""
    """How well the count agrees with human labels, in a full sentence with their source; empty if never measured."""


class Tools(Protocol):
    """Resources that a method may use when it is built."""

    @property
    def store(self) -> "Store":
        """The store in which completions and activations are cached."""

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


def property_sentences() -> dict[str, str]:
    """The properties that any method measures: by name, what is true of the model that has more of one."""
    return {name: info.sentence for name, info in measured_properties().items()}


def plans_of(config: RunSettings) -> tuple[MethodPlan, ...]:
    """Returns the plans of the methods that a run uses; unknown names are ignored."""
    plans = method_plans()
    return tuple(plans[name] for name in config.methods if name in plans)
