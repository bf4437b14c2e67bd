"""The settings, checks, steps and cost estimate of the adapters method, before a run begins."""

import os
from collections.abc import Mapping, Sequence
from math import ceil
from typing import TYPE_CHECKING, Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass as validated

from diffing.costs import ResponseLengths, StageEstimate, tokens
from diffing.methods.adapters.cost import CHATS, PASSES, TOKENS, TRAINING, minutes, training_operations
from diffing.methods.adapters.stages import CHECK, LLM_STAGES, READ, TRAIN
from diffing.methods.base import Method, MethodPlan, Tools
from diffing.methods.inside.settings import InsideSettings, check_weights, weights_of
from diffing.model_ref import parse_local_spec
from diffing.run_settings import RunSettings
from diffing.settings import Setting
from diffing.stages import Step
from diffing.types import Prompt, Side

if TYPE_CHECKING:
    from diffing.methods.inside.opening import SideModel

_GROUP = "The adapters method"


@validated(frozen=True)
class AdaptersSettings(InsideSettings):
    """The settings that only the adapters method has, and those of all methods that look inside."""

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
    hint = "Trains sparse features of what tuning changed inside a model, and compares where they are active."
    heading = "Seen in features of what tuning changed"
    settings = AdaptersSettings
    stages = (TRAIN, READ, *LLM_STAGES.labelling, *LLM_STAGES.summing_up, CHECK)
    asks_llm = True

    def runs_unasked(self, config: RunSettings) -> bool:
        """Tells whether published adapters are given."""
        return bool(config.of(AdaptersSettings).adapters)

    def check(self, config: RunSettings) -> None:
        """Requires the weights of both models."""
        check_weights(config, self.name)

    def obstacle(self) -> str:
        """Refuses ZeroGPU, whose GPU is lent for minutes at a time."""
        if os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true"):
            return "Adapters need a GPU for longer than ZeroGPU lends one. Run the command on a machine with a GPU."
        return ""

    def loads(self, config: RunSettings) -> Mapping[str, str]:
        """Returns the weights behind both models."""
        return {"Base": weights_of(config, "a"), "Tuned model": weights_of(config, "b")}

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
            train = [prompt for prompt in prompts if prompt.split == "train"]
            once = _read(train, lengths)
            trained = own.adapter_tokens if own.corpus else min(own.adapter_tokens, PASSES * once)
            steps = ceil(trained * 2 * len(train) / (CHATS * once)) if once else 0
            stages.insert(0, StageEstimate(TRAIN, tuned, steps, trained, 0, 0.0, None))
        if config.llm:
            stages += expected_labelling(config, config.llm, followed(config), LLM_STAGES)
        return stages

    def assumptions(self, config: RunSettings) -> tuple[str, ...]:
        """Says what training costs."""
        if config.of(AdaptersSettings).adapters:
            return ()
        return (
            f"Training adapters takes {TRAINING} operations per parameter of a model and token: with a million tokens "
            f"about {_minutes_of_7b():.0f} min of an H100 for 7 billion parameters. A CPU trains tiny models only.",
        )

    def build(self, config: RunSettings, tools: Tools) -> Method:
        """Builds the method; models that cannot have adapters are refused here, before anything is generated."""
        from diffing.methods.adapters import AdapterOptions, AdaptersMethod, AdaptersOptions
        from diffing.methods.inside.opening import open_side
        from diffing.models.local import LocalOptions

        own = config.of(AdaptersSettings)

        def opened(side: Side) -> "SideModel":
            a = side == "a"
            options = LocalOptions(
                dtype=config.dtype,
                quantization=config.quantization_a if a else config.quantization_b,
                chat_template=config.chat_template_a if a else config.chat_template_b,
                trust_remote_code=config.trust_remote_code,
                allow_pickle=config.allow_pickle,
            )
            prompt = config.system_prompt_a if a else config.system_prompt_b
            return open_side(
                parse_local_spec(weights_of(config, side)), side, depth=1.0, options=options, system_prompt=prompt
            )

        made = AdapterOptions(
            own.adapters, own.adapter_features, own.adapter_tokens, own.adapter_sparsity, seed=config.seed
        )
        return AdaptersMethod(
            opened("a"),
            opened("b"),
            options=AdaptersOptions(made, followed=followed(config), corpora=own.corpus),
            llm=tools.helper(config.llm) if config.llm else None,
            heldout=tools.heldout,
            folder=tools.store.path.parent / "trained",
        )


def _read(prompts: Sequence[Prompt], lengths: ResponseLengths) -> int:
    """The number of tokens of both responses to prompts, each behind its prompt."""
    return sum(lengths.of_pair(prompt) + 2 * tokens(prompt.text) for prompt in prompts)


def _minutes_of_7b() -> float:
    return minutes(training_operations(7_000_000_000, 1_000_000))


def followed(config: RunSettings) -> int:
    """Returns the largest number of features to follow up: fewer without an LLM, since a person reads the list."""
    return 200 if config.llm else 40


ADAPTERS = AdaptersPlan()
