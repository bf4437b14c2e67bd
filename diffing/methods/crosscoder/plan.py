"""The settings, checks, steps and cost estimate of the crosscoder method, before a run begins."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass as validated

from diffing.costs import ResponseLengths, StageEstimate, expected, tokens
from diffing.errors import SettingError
from diffing.methods.base import Method
from diffing.methods.crosscoder.stages import (
    CAUSAL,
    LLM_STAGES,
    NULL_RESPONSES,
    READ,
    TRAIN,
    TRAIN_DIFFERENCE,
    TRAIN_NULL,
)
from diffing.methods.features.settings import FeatureSettings, followed
from diffing.methods.inside.plan import InsidePlan, loading_options, parameters_of
from diffing.methods.inside.settings import InsideSettings, weights_of
from diffing.methods.plan import MethodTools
from diffing.run_settings import RunSettings
from diffing.settings import Setting
from diffing.stages import ListedStep
from diffing.types import SIDES, Prompt, Side

if TYPE_CHECKING:
    from diffing.methods.crosscoder.cost import TrainingCost
    from diffing.methods.crosscoder.crosscoder_options import InsideSide, PublishedChoice
    from diffing.models.base import Sampling

_GROUP = "The crosscoder method"


@validated(frozen=True)
class CrosscoderSettings(InsideSettings, FeatureSettings):
    """The settings that only the crosscoder method has, and those that it shares."""

    depth: Annotated[
        tuple[Annotated[float, Field(ge=0.01, le=1)], ...], Setting(_GROUP, "Depth"), Field(min_length=1)
    ] = (0.5,)
    """Where both models are read: after this share of their blocks; may be given several times, for a dictionary at
    each depth."""
    dictionary_size: Annotated[int | None, Setting(_GROUP, "Latents"), Field(ge=16)] = None
    """The number of latents of the crosscoder. Default: by the models' width, 8,192 to 32,768."""
    crosscoder: Annotated[str | None, Setting(_GROUP, "Published crosscoder", may_be_file=True)] = None
    """A published crosscoder of A and B instead of training one: org/name[@revision][/folder] or a folder."""
    crosscoder_models: Annotated[str | None, Setting(_GROUP)] = None
    """The models of the published crosscoder in its own order (org/base,org/tuned), if its files do not tell."""
    steer: Annotated[int, Setting(_GROUP), Field(ge=0)] = 0
    """Let the model that has a confirmed feature answer this many held-out prompts anew without it, to see whether the
    feature becomes rarer."""
    null: Annotated[bool, Setting(_GROUP)] = False
    """Also train the crosscoder on model A against itself, and compare two samples of its responses: what is found
    there is found by chance."""


class CrosscoderPlan(InsidePlan):
    """The plan of the crosscoder method: both models are read, a dictionary is trained and its features are tested."""

    name = "crosscoder"
    title = "Crosscoder"
    hint = (
        "Trains one dictionary on both models’ activations; finds what only one has. Needs the weights of both: "
        "free, but needs a GPU unless the models are tiny."
    )
    heading = "Seen in features of both models' activations"
    trains = "a dictionary"
    settings = CrosscoderSettings
    stages = (
        *(TRAIN, TRAIN_DIFFERENCE, TRAIN_NULL, READ),
        *(*LLM_STAGES.labelling, *LLM_STAGES.summing_up, CAUSAL, NULL_RESPONSES),
    )

    def check(self, config: RunSettings) -> None:
        """Requires the weights of both models, and settings that fit together."""
        super().check(config)
        _check_published(config.of(CrosscoderSettings))

    def runs_unasked(self, config: RunSettings) -> bool:
        """Tells whether a published crosscoder is given."""
        return bool(config.of(CrosscoderSettings).crosscoder)

    def steps(self, config: RunSettings) -> tuple[ListedStep, ...]:
        """Lists training, reading and, with an LLM, also labelling and summing up; the causal check comes last."""
        own = config.of(CrosscoderSettings)
        trained = (TRAIN, TRAIN_DIFFERENCE, *((TRAIN_NULL,) if own.null else ()))
        learns = "It learns the features of both models' activations."
        steps = [] if own.crosscoder else [ListedStep("Training a dictionary of both models", learns, trained)]
        steps.append(
            ListedStep(
                "Reading inside both models",
                "Both models read all responses, and active features are counted.",
                (READ,),
            )
        )
        if config.llm:
            steps += LLM_STAGES.steps("the features of both models")
        takes = "Confirmed features are taken out of the model that has them, to see whether it would answer otherwise."
        steps.append(ListedStep("Checking what the features cause", takes, (CAUSAL,)))
        if own.null and _null_sampling(config):
            again = "Model A answers again, to see what is found between two samples of it."
            steps.append(ListedStep("Comparing model A with itself", again, (NULL_RESPONSES,)))
        return tuple(steps)

    def measured(self, config: RunSettings, prompts: Sequence[Prompt]) -> int:
        """One per feature that is followed up."""
        return followed(config)

    def estimate(self, config: RunSettings, prompts: Sequence[Prompt], lengths: ResponseLengths) -> list[StageEstimate]:
        """Estimates training, reading both responses of every pair with both models, and labelling by an LLM."""
        from diffing.methods.features.expected_costs import expected_labelling

        b = weights_of(config, "b")
        own = config.of(CrosscoderSettings)
        depths = len(own.depth)
        stages = [] if own.crosscoder else _training_stages(config)
        read = 2 * depths * len(prompts)
        stages.append(StageEstimate(READ, b, read, 2 * depths * lengths.reading(prompts), 0, 0.0, None))
        if config.llm:
            stages += expected_labelling(config, config.llm, followed(config), LLM_STAGES)
        stages.append(StageEstimate(CAUSAL, b, min(followed(config), 20 * depths), 0, 0, 0.0, None))
        if own.null and _null_sampling(config):
            asked = depths * sum(tokens(prompt.text) for prompt in prompts)
            count, a = depths * len(prompts), weights_of(config, "a")
            stages.append(expected(config, NULL_RESPONSES, a, count, asked, count * lengths.assumed))
        return stages

    def assumptions(self, config: RunSettings) -> tuple[str, ...]:
        """States the operations, the memory and the disk space of the training."""
        if config.of(CrosscoderSettings).crosscoder:
            return ()
        from diffing.methods.crosscoder.cost import MOST_ON_CPU

        costs = _costs(config)
        if not costs:
            return ("The size of the models is not known before they are opened; nor is that of the crosscoder.",)
        refused = (
            f" That is more than the {MOST_ON_CPU:.0e} that a CPU may take, so it needs a GPU."
            if max(cost.operations for cost in costs) > MOST_ON_CPU
            else ""
        )
        several = f" At each of {len(costs)} depths one is trained; all together:" if len(costs) > 1 else ""
        return (
            f"The crosscoder has {costs[0].latents:,} latents and is trained on up to {costs[0].rows:,} rows:{several} "
            f"about {sum(cost.operations for cost in costs):.0e} operations "
            f"({max(sum(cost.minutes(gpu=True) for cost in costs), 1):,.0f} min on an H100), "
            f"{max(cost.memory for cost in costs) / 1e9:.1f} GB of memory and "
            f"{sum(cost.disk for cost in costs) / 1e9:.1f} GB on disk.{refused}",
        )

    def build(self, config: RunSettings, tools: MethodTools) -> Method:
        """Builds the method with the run's LLM, if it has one."""
        from diffing.methods.crosscoder.crosscoder_options import CrosscoderOptions
        from diffing.methods.crosscoder.several_depths import at_depths

        own = config.of(CrosscoderSettings)
        options = CrosscoderOptions(
            latents=own.dictionary_size,
            corpus=own.corpus,
            heldout=tuple(tools.heldout),
            features=followed(config),
            published=_published(config),
            null=own.null,
            null_sampling=_null_sampling(config),
            steer=own.steer,
            sampling=config.sampling,
            seed=config.seed,
        )
        a, b = (_side(config, side) for side in SIDES)
        llm = tools.helper(config.llm) if config.llm else None
        return at_depths(own.depth, a, b, tools.store.trainings, options=options, llm=llm)


def _null_sampling(config: RunSettings) -> "Sampling | None":
    """How A answers a second time; None if it answers the same each time, or others wrote its responses."""
    if config.of(InsideSettings).inside_a or not config.sampling.temperature:
        return None
    return replace(config.sampling, sample=max(config.sample_a, config.sample_b) + 1)


def _published(config: RunSettings) -> "PublishedChoice | None":
    from diffing.methods.crosscoder.crosscoder_options import PublishedChoice
    from diffing.methods.crosscoder.published.name_matching import parse_models

    own = config.of(CrosscoderSettings)
    models = parse_models(own.crosscoder_models) if own.crosscoder_models else None
    return PublishedChoice(own.crosscoder, models, config.allow_pickle) if own.crosscoder else None


def _check_published(own: CrosscoderSettings) -> None:
    """Refuses a name that names nothing, and settings that only a training has."""
    from diffing.methods.crosscoder.published.location import check_spec
    from diffing.methods.crosscoder.published.name_matching import parse_models

    if own.crosscoder is None:
        if own.crosscoder_models:
            raise SettingError("--crosscoder-models has no effect without --crosscoder: leave it out")
        return
    check_spec(own.crosscoder)
    if len(own.depth) > 1:
        raise SettingError("--depth is given several times, and a published crosscoder is read at one: give it once")
    if own.crosscoder_models:
        parse_models(own.crosscoder_models)
    given = {"--dictionary-size": own.dictionary_size, "--null": own.null}
    unused = next((option for option, value in given.items() if value), None)
    if unused:
        raise SettingError(f"{unused} has no effect with --crosscoder, since nothing is trained: leave one of them out")


def _training_stages(config: RunSettings) -> list[StageEstimate]:
    minutes, rows = _expected_training(config)
    trained = (TRAIN, TRAIN_NULL) if config.of(CrosscoderSettings).null else (TRAIN,)
    both = f"{weights_of(config, 'a')}, {weights_of(config, 'b')}"
    stages = [StageEstimate(stage, both, rows, rows, 0, 0.0, minutes) for stage in trained]
    return [*stages, StageEstimate(TRAIN_DIFFERENCE, both, rows, rows, 0, 0.0, minutes and minutes / 2)]


def _side(config: RunSettings, side: Side) -> "InsideSide":
    from diffing.methods.crosscoder.crosscoder_options import InsideSide

    system_prompt = getattr(config, f"system_prompt_{side}")
    return InsideSide(weights_of(config, side), loading_options(config, side), system_prompt)


def _costs(config: RunSettings) -> "list[TrainingCost]":
    """The cost of the training at each depth; empty if the sizes of the models are unknown."""
    from diffing.methods.crosscoder.cost import expected_cost

    own = config.of(CrosscoderSettings)
    a, b = (parameters_of(config, side) for side in SIDES)
    if a is None or b is None:
        return []
    return [expected_cost((a, b), depth, own.dictionary_size) for depth in own.depth]


def _expected_training(config: RunSettings) -> tuple[float | None, int]:
    """Returns the minutes and the rows of the training; None and 0 if the sizes of the models are unknown."""
    costs = _costs(config)
    if not costs:
        return None, 0
    from diffing.models.local.memory import this_machine

    gpu = bool(this_machine().gpu)
    return sum(cost.minutes(gpu=gpu) for cost in costs), sum(cost.rows for cost in costs)


CROSSCODER = CrosscoderPlan()
