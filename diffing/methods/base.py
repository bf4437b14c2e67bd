"""What a method is to the pipeline, and to a run before it begins. Knows no method.

A `MethodPlan` is what `diffing/registry.py` names: the settings of a method, what it refuses, its stages, what it will
take, and how it is built. It is imported by every command, so it imports nothing that takes long.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from diffing import registry
from diffing.costs import StageEstimate
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


class Tools(Protocol):
    """What a method may use when it is built."""

    @property
    def store(self) -> "Store":
        """Where completions and readings are kept."""

    def helper(self, spec: str) -> Model:
        """The LLM of a model string; the same one each time."""


class MethodPlan(Protocol):
    """A method as a run knows it before it begins. Subclasses give `name`, `title`, `hint`, `heading` and `build`."""

    name: str
    """Short name, as in the registry."""
    title: str
    """What the page's form calls it."""
    hint: str
    """What it does, in a sentence or two, for the form."""
    heading: str
    """What stands above its hypotheses while a run goes on."""
    settings: type[Settings] = Settings
    """Its own settings, which become a part of `DiffConfig`; their names must differ from all others."""
    stages: tuple[Stage, ...] = ()
    """All stages that it can have, as progress and usage name them."""
    judged: bool = False
    """Whether its hypotheses are tested by the judge; a method that measures tests them itself."""
    asks_llm: bool = False
    """Whether the setting `llm` has an effect on it."""

    def runs_unasked(self, config: RunSettings) -> bool:
        """Whether a run that names no methods includes this one."""
        return False

    def check(self, config: RunSettings) -> None:
        """Refuses what can be known to fail before a model is loaded or a call is paid.

        Raises:
            SettingError: A setting that is missing or cannot be used.
        """
        return

    def check_public(self, config: RunSettings) -> None:
        """Refuses what a stranger may not ask of a public machine.

        Raises:
            SettingError: A setting that is not allowed there.
        """
        return

    def not_named(self, config: RunSettings) -> str:
        """What the form asks for if something that the method needs was left empty; otherwise empty."""
        return ""

    def obstacle(self) -> str:
        """Why the method cannot run on this machine; empty if it can."""
        return ""

    def loads(self, config: RunSettings) -> Mapping[str, str]:
        """The models that it loads on this machine, by what they are to it: `Reader` and the model's string."""
        return {}

    def steps(self, config: RunSettings) -> tuple[Step, ...]:
        """What it does in a run, in its order, for the page of the run; each step names its stages."""
        return (Step(f"{self.title}: looking for differences", self.hint, self.stages),) if self.stages else ()

    def estimate(self, config: RunSettings, prompts: Sequence[Prompt]) -> list[StageEstimate]:
        """What its stages will take.

        Args:
            config: The run.
            prompts: All prompts that are compared.
        """
        return []

    def hypotheses(self, config: RunSettings, prompts: Sequence[Prompt]) -> int:
        """How many hypotheses of its own the judge is expected to test."""
        return 0

    def assumptions(self, config: RunSettings) -> tuple[str, ...]:
        """What its estimate assumes, in plain sentences."""
        return ()

    def properties(self) -> Mapping[str, str]:
        """The properties of a response that it measures: by name, what is true of the model that has more of one.

        The names are those of `PropertyMeasure` and of `Hypothesis.speaks_of`.
        """
        return {}

    def build(self, config: RunSettings, tools: Tools) -> Method:
        """The method of a run.

        Raises:
            DiffingError: A model that cannot be had.
        """


def method_plans() -> dict[str, MethodPlan]:
    """The plans of all methods by name, in the order in which methods run."""
    return {name: registry.load(place) for name, place in registry.METHODS.items()}


def measured_properties() -> dict[str, str]:
    """The properties that any method measures: by name, what is true of the model that has more of one."""
    return {name: sentence for plan in method_plans().values() for name, sentence in plan.properties().items()}


def plans_of(config: RunSettings) -> tuple[MethodPlan, ...]:
    """The plans of the methods that a run takes; names that are not known are left out."""
    plans = method_plans()
    return tuple(plans[name] for name in config.methods if name in plans)
