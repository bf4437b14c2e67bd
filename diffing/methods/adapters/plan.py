"""The settings, checks, steps and cost estimate of the adapters method, before a run begins."""

import importlib.util
import os
from collections.abc import Mapping, Sequence
from math import ceil
from typing import TYPE_CHECKING, Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass as validated

from diffing.costs import ResponseLengths, StageEstimate, tokens
from diffing.errors import DiffingError, SettingError
from diffing.methods.adapters.cost import CHATS, MOST_ON_CPU, PASSES, TOKENS, minutes, training_operations
from diffing.methods.adapters.stages import CHECK, LLM_STAGES, READ, TRAIN
from diffing.methods.base import Method, MethodPlan, Tools
from diffing.methods.features.settings import FeatureSettings, followed
from diffing.methods.inside.settings import InsideSettings, check_weights, weights_of
from diffing.run_settings import RunSettings
from diffing.settings import Setting
from diffing.stages import Step
from diffing.types import Prompt, Side

if TYPE_CHECKING:
    from diffing.methods.inside.opening import SideModel

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


class AdaptersPlan(MethodPlan):
    """The plan of the adapters method."""

    name = "adapters"
    title = "Adapters"
    hint = (
        "Trains sparse features of what tuning changed inside a model. Needs the weights of a base model and its tuned "
        "version: free, but needs a GPU unless the models are tiny."
    )
    heading = "Seen in features of what tuning changed"
    settings = AdaptersSettings
    stages = (TRAIN, READ, *LLM_STAGES.labelling, *LLM_STAGES.summing_up, CHECK)
    asks_llm = True

    def runs_unasked(self, config: RunSettings) -> bool:
        """Tells whether published adapters are given."""
        return bool(config.of(AdaptersSettings).adapters)

    def check(self, config: RunSettings) -> None:
        """Requires the weights of both models, and a GPU that stays."""
        check_weights(config, self.name)
        if obstacle := self.obstacle():
            raise SettingError(f"--method {self.name} cannot run here. {obstacle}")

    def check_public(self, config: RunSettings) -> None:
        """Refuses the method: a training takes a machine for itself."""
        if self.name in config.methods:
            raise SettingError(
                f"--method {self.name} trains adapters, which a public server does not do. Run it on your own machine, "
                "or with --on jobs"
            )

    def obstacle(self) -> str:
        """Requires torch, and refuses ZeroGPU, which lends a GPU for single calls."""
        if os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true"):
            return (
                "ZeroGPU lends a GPU for seconds, and training adapters takes minutes. Use a machine with a GPU, for "
                "example with --on jobs."
            )
        installed = all(importlib.util.find_spec(name) for name in ("torch", "transformers"))
        return "" if installed else "torch and transformers are not installed here: pip install diffing[local]"

    def loads(self, config: RunSettings) -> Mapping[str, str]:
        """Returns the weights that are read, if they are not the compared models themselves."""
        own = config.of(InsideSettings)
        given = {"Weights of A": own.inside_a, "Weights of B": own.inside_b}
        return {role: name for role, name in given.items() if name}

    def steps(self, config: RunSettings) -> tuple[Step, ...]:
        """Lists training, reading, labelling with an LLM, and the causal checks."""
        says = "Features are trained that make the base's MLPs predict what the tuned model predicts."
        training = Step("Training adapters", says, (TRAIN,))
        reading = Step("Reading with adapters", "The features that are active in each response are counted.", (READ,))
        checking = Step("Checking causes", "Confirmed features are set to 0 to see what they drive.", (CHECK,))
        first = () if config.of(AdaptersSettings).adapters else (training,)
        if not config.llm:
            return (*first, reading, checking)
        named = "The LLM describes each feature that differs in words and checks how well the words fit."
        naming = Step("Naming the features of adapters", named, LLM_STAGES.labelling)
        stated = "The LLM states hypotheses from the features that differ."
        summing_up = Step("Summing up the features of adapters", stated, LLM_STAGES.summing_up)
        return (*first, reading, naming, summing_up, checking)

    def measured(self, config: RunSettings, prompts: Sequence[Prompt]) -> int:
        """One per feature that is followed up."""
        return followed(config)

    def estimate(self, config: RunSettings, prompts: Sequence[Prompt], lengths: ResponseLengths) -> list[StageEstimate]:
        """Estimates training, reading both responses of every pair, and labelling if there is an LLM."""
        from diffing.methods.features.expected_costs import expected_labelling

        own = config.of(AdaptersSettings)
        tuned = weights_of(config, "b")
        stages = [StageEstimate(READ, tuned, 2 * len(prompts), _read(prompts, lengths), 0, 0.0, None)]
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
        parameters = _parameters(config)
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

    def build(self, config: RunSettings, tools: Tools) -> Method:
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


def _read(prompts: Sequence[Prompt], lengths: ResponseLengths) -> int:
    """The number of tokens of both responses to prompts, each behind its prompt."""
    return sum(lengths.of_pair(prompt) + 2 * tokens(prompt.text) for prompt in prompts)


def _trained(config: RunSettings, prompts: Sequence[Prompt], lengths: ResponseLengths) -> tuple[int, int]:
    """The numbers of steps and of tokens of training, over all passes."""
    own = config.of(AdaptersSettings)
    train = [prompt for prompt in prompts if prompt.split == "train"]
    once = _read(train, lengths)
    trained = own.adapter_tokens if own.corpus else min(own.adapter_tokens, PASSES * once)
    return (ceil(trained * 2 * len(train) / (CHATS * once)) if once else 0), trained


def _minutes(config: RunSettings, trained: int) -> float | None:
    """The minutes of training on this machine; None if the size of the models is unknown."""
    parameters = _parameters(config)
    if parameters is None:
        return None
    from diffing.models.local.memory import this_machine

    return minutes(training_operations(parameters, trained), gpu=bool(this_machine().gpu))


def _parameters(config: RunSettings) -> int | None:
    """The parameters of the tuned model; None if they are not known before it is opened."""
    from diffing.models.local.memory import size_of

    try:
        return size_of(weights_of(config, "b")).parameters
    except DiffingError:
        return None


def _side(config: RunSettings, side: Side) -> "SideModel":
    from diffing.methods.inside.opening import open_side
    from diffing.models.local.spec import LocalOptions

    options = LocalOptions(
        dtype=config.dtype,
        quantization=getattr(config, f"quantization_{side}"),
        trust_remote_code=config.trust_remote_code,
        allow_pickle=config.allow_pickle,
        chat_template=getattr(config, f"chat_template_{side}"),
    )
    prompt = getattr(config, f"system_prompt_{side}")
    return open_side(weights_of(config, side), side, depth=1.0, options=options, system_prompt=prompt)


ADAPTERS = AdaptersPlan()
