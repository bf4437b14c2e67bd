"""`MethodPlan`: what a run knows of a method before it begins, such as its settings, checks, stages and cost estimate.

`diffing/registry.py` lists the plans. Every command imports all plans, so their modules must not import slow libraries.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from diffing import registry
from diffing.costs import ResponseLengths, StageEstimate
from diffing.methods.base import Method
from diffing.methods.property_info import PropertyExamples, PropertyInfo
from diffing.models.base import Model
from diffing.run_settings import RunSettings
from diffing.settings import Settings
from diffing.stages import ListedStep
from diffing.types import Hypothesis, Judgement, Pair, Prompt, Stage

if TYPE_CHECKING:
    from diffing.models.cache import Store
    from diffing.models.process_group import ProcessGroup


class MethodTools(Protocol):
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
    reads_amplified: bool = False
    """Whether the method also looks for hypotheses in amplified answers (`AmplifiedSearchMethod`)."""
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

    def steps(self, config: RunSettings) -> tuple[ListedStep, ...]:
        """Lists the steps of the method, in order, for the progress page; each step names its stages."""
        return (ListedStep(f"{self.title}: looking for differences", self.hint, self.stages),) if self.stages else ()

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

    def property_hypotheses(self) -> tuple[Hypothesis, ...]:
        """One hypothesis per property that can differ: that model B has more of it."""
        return ()

    def measure_properties(self, hypotheses: Sequence[Hypothesis], pairs: Sequence[Pair]) -> list[Judgement]:
        """The verdicts on some of its `property_hypotheses` for pairs of a report, ordered by hypothesis, then pair.

        A verdict is UNREADABLE if the property cannot be determined in a response, so that this speaks for no side.
        """
        return []

    def property_examples(self, name: str, pairs: Sequence[Pair]) -> PropertyExamples:
        """Finds responses in which one of its properties is counted, and others in which it is not.

        Args:
            name: A key of `properties`.
            pairs: The pairs of a report.
        """
        return PropertyExamples()

    def build(self, config: RunSettings, tools: MethodTools) -> Method:
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
