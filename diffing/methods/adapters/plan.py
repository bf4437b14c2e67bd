"""The settings, checks, steps and cost estimate of the adapters method, before a run begins."""

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING, Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass as validated

from diffing.costs import ResponseLengths, StageEstimate
from diffing.methods.adapters.cost import CHATS, MOST_ON_CPU, PASSES, TOKENS, minutes, training_operations
from diffing.methods.adapters.stages import CHECK, LLM_STAGES, READ, TRAIN
from diffing.methods.base import Method
from diffing.methods.features.settings import FeatureSettings, followed
from diffing.methods.inside.plan import InsidePlan, loading_options, parameters_of
from diffing.methods.inside.settings import InsideSettings, weights_of
from diffing.methods.plan import MethodTools
from diffing.run_settings import RunSettings
from diffing.settings import Setting
from diffing.stages import ListedStep
from diffing.types import Prompt, Side

if TYPE_CHECKING:
    from diffing.methods.inside.side_models import SideModel

_GROUP = "The adapters method"


@validated(frozen=True)
class AdaptersSettings(InsideSettings, FeatureSettings):
    """The settings that only the adapters method has, and those that it shares."""

    adapters: Annotated[str | None, Setting(_GROUP, "Published adapters", may_be_file=True)] = None
    """Published adapters between A and B instead of training some: org/name[@revision] or a folder."""
    adapter_features: Annotated[int | None, Setting(_GROUP), Field(ge=2)] = None
    """The number of features that are trained in each block. Default: twice the width of the model."""
    adapter_tokens: Annotated[int, Setting(_GROUP), Field(ge=1)] = TOKENS
    """The number of tokens that adapters are trained on; a response is trained on at most four times."""
    adapter_sparsity: Annotated[float, Setting(_GROUP), Field(ge=0)] = 1e-3
    """The weight of sparsity at the beginning of training; it is doubled while too many features are active."""


class AdaptersPlan(InsidePlan):
    """The plan of the adapters method."""

    name = "adapters"
    title = "Adapters"
    hint = (
        "Trains sparse features of what tuning changed inside a model. Needs the weights of a base model and its tuned "
        "version: free, but needs a GPU unless the models are tiny."
    )
    heading = "Seen in features of what tuning changed"
    trains = "adapters"
    settings = AdaptersSettings
    stages = (TRAIN, READ, *LLM_STAGES.labelling, *LLM_STAGES.summing_up, CHECK)

    def runs_unasked(self, config: RunSettings) -> bool:
        """Tells whether published adapters are given."""
        return bool(config.of(AdaptersSettings).adapters)

    def steps(self, config: RunSettings) -> tuple[ListedStep, ...]:
        """Lists training, reading, labelling with an LLM, and the causal checks."""
        says = "Features are trained that make the base's MLPs predict what the tuned model predicts."
        training = ListedStep("Training adapters", says, (TRAIN,))
        reading = ListedStep(
            "Reading with adapters", "The features that are active in each response are counted.", (READ,)
        )
        checking = ListedStep("Checking causes", "Confirmed features are set to 0 to see what they drive.", (CHECK,))
        first = () if config.of(AdaptersSettings).adapters else (training,)
        named = LLM_STAGES.steps("the features of adapters") if config.llm else ()
        return (*first, reading, *named, checking)

    def measured(self, config: RunSettings, prompts: Sequence[Prompt]) -> int:
        """One per feature that is followed up."""
        return followed(config)

    def estimate(self, config: RunSettings, prompts: Sequence[Prompt], lengths: ResponseLengths) -> list[StageEstimate]:
        """Estimates training, reading both responses of every pair, and labelling if there is an LLM."""
        from diffing.methods.features.expected_costs import expected_labelling

        own = config.of(AdaptersSettings)
        tuned = weights_of(config, "b")
        stages = [StageEstimate(READ, tuned, 2 * len(prompts), lengths.reading(prompts), 0, 0.0, None)]
        if own.adapters is None:
            steps, trained = _trained(config, prompts, lengths)
            stages.insert(0, StageEstimate(TRAIN, tuned, steps, trained, 0, 0.0, _minutes(config, trained)))
        if config.llm:
            stages += expected_labelling(config, config.llm, followed(config), LLM_STAGES)
        return stages

    def assumptions(self, config: RunSettings) -> tuple[str, ...]:
        """States the operations and the time of training."""
        if config.of(AdaptersSettings).adapters:
            return ()
        parameters = parameters_of(config, "b")
        if parameters is None:
            return (
                "The size of the models is not known before they are opened; nor is the time of training adapters.",
            )
        operations = training_operations(parameters, 1_000_000)
        refused = " A CPU takes too long for more than tiny models." if operations > MOST_ON_CPU else ""
        return (
            f"Training adapters takes about {operations:.0e} operations for each million tokens trained on "
            f"({minutes(operations, gpu=True):.1f} min on an H100), with both models in memory.{refused}",
        )

    def build(self, config: RunSettings, tools: MethodTools) -> Method:
        """Builds the method; models that cannot have adapters are refused here, before anything is generated."""
        from diffing.methods.adapters import AdapterOptions, AdaptersMethod, AdaptersOptions

        own = config.of(AdaptersSettings)
        made = AdapterOptions(
            own.adapters, own.adapter_features, own.adapter_tokens, own.adapter_sparsity, seed=config.seed
        )
        return AdaptersMethod(
            _side(config, "a"),
            _side(config, "b"),
            options=AdaptersOptions(made, followed=followed(config), corpora=own.corpus),
            llm=tools.helper(config.llm) if config.llm else None,
            heldout=tools.heldout,
            folder=tools.store.trainings,
        )


def _trained(config: RunSettings, prompts: Sequence[Prompt], lengths: ResponseLengths) -> tuple[int, int]:
    """The numbers of steps and of tokens of training, over all passes."""
    own = config.of(AdaptersSettings)
    train = [prompt for prompt in prompts if prompt.split == "train"]
    once = lengths.reading(train)
    trained = own.adapter_tokens if own.corpus else min(own.adapter_tokens, PASSES * once)
    return (ceil(trained * 2 * len(train) / (CHATS * once)) if once else 0), trained


def _minutes(config: RunSettings, trained: int) -> float | None:
    """The minutes of training on this machine; None if the size of the models is unknown."""
    parameters = parameters_of(config, "b")
    if parameters is None:
        return None
    from diffing.models.local.memory import this_machine

    return minutes(training_operations(parameters, trained), gpu=bool(this_machine().gpu))


def _side(config: RunSettings, side: Side) -> "SideModel":
    from diffing.methods.inside.side_models import open_side

    options, prompt = loading_options(config, side), getattr(config, f"system_prompt_{side}")
    return open_side(weights_of(config, side), side, depth=1.0, options=options, system_prompt=prompt)


ADAPTERS = AdaptersPlan()
