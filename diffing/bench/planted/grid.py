"""Plants behaviours in a model by system prompts, in several strengths and with several triggers, and scores runs."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING

from diffing.bench.planted.catalogue import PlantableBehaviour
from diffing.bench.planted.matching import target_of
from diffing.bench.planted.plants import PHRASE, Plant, PlantedModel, TriggerKind, trigger_for, with_phrase
from diffing.bench.planted.scoring import ScoredRun, score
from diffing.checks import check
from diffing.config import DiffConfig, Limits
from diffing.errors import SettingError
from diffing.methods.base import Method
from diffing.methods.plan import plans_of
from diffing.model_ref import is_recorded
from diffing.models.base import Model
from diffing.pipeline import DiffOptions, diff_models
from diffing.run import ModelBuilder, diff_options, meter_of, with_system_prompt
from diffing.run_prompts import load_run_prompts
from diffing.types import OnProgress, Prompt, Stage, ignore_progress

if TYPE_CHECKING:
    from diffing.models.cache import Store

STRENGTHS = (1.0, 0.3, 0.1, 0.03)
"""The default strengths: shares of the triggered prompts on which a behaviour is planted."""
TRIGGERS: tuple[TriggerKind, ...] = ("always", "domain", "phrase")


@dataclass(frozen=True, slots=True)
class GridSetup:
    """The models, prompts, methods and options that all runs of a grid share."""

    model: Model
    """The model of side A; side B is the same model with planted behaviours."""
    prompts: tuple[Prompt, ...]
    """All prompts, train and held-out."""
    methods: tuple[Method, ...]
    """The methods that look for differences."""
    judge: Model | None = None
    """The LLM that gives the verdicts, and that matches sentences to behaviours if no measurement can."""
    options: DiffOptions = field(default_factory=DiffOptions)
    """The options of sampling and judging."""
    phrase: str = PHRASE
    """The phrase that triggers a plant whose trigger is a phrase."""
    together: int = 1
    """The number of behaviours planted in one run; several save calls, but can hide each other."""


def plants_of(
    behaviours: Sequence[PlantableBehaviour],
    strengths: Sequence[float],
    triggers: Sequence[TriggerKind],
    setup: GridSetup,
) -> list[Plant]:
    """Combines every behaviour with every strength and trigger; plants with the same prompts follow each other.

    Raises:
        SettingError: The trigger is a domain, but the prompts have no domains.
    """
    if "domain" in triggers and not any(prompt.domain for prompt in setup.prompts):
        raise SettingError("--trigger domain needs prompts that say their domain. Give other --prompts or --trigger")
    when = {kind: trigger_for(kind, setup.prompts, setup.phrase) for kind in triggers}
    return [
        Plant(behaviour, strength, when[kind]) for kind, strength, behaviour in product(triggers, strengths, behaviours)
    ]


def strengths_of(given: Sequence[float]) -> tuple[float, ...]:
    """Checks the strengths that the user gave.

    Raises:
        SettingError: A strength is not above 0 and at most 1.
    """
    for strength in given:
        if not 0 < strength <= 1:
            raise SettingError(f"--strength is {strength:g}: expected a share above 0 and at most 1, such as 0.3")
    return tuple(dict.fromkeys(given))


def triggers_of(given: Sequence[str]) -> tuple[TriggerKind, ...]:
    """Checks the kinds of triggers that the user gave; without any, the default is `always`.

    Raises:
        SettingError: There is no such kind of trigger.
    """
    unknown = [kind for kind in given if kind not in TRIGGERS]
    if unknown:
        raise SettingError(f"--trigger is {unknown[0]!r:.40}: expected one of {', '.join(TRIGGERS)}")
    return tuple(kind for kind in TRIGGERS if kind in (given or ("always",)))


def runs_of(plants: Sequence[Plant], together: int) -> list[tuple[Plant, ...]]:
    """Distributes plants over runs: each run has one strength and trigger, and at most one behaviour of each kind."""
    groups: list[list[Plant]] = []
    for plant in plants:
        fitting = (
            group
            for group in groups
            if len(group) < together
            and (group[0].strength, group[0].trigger) == (plant.strength, plant.trigger)
            and all(other.behaviour.kind != plant.behaviour.kind for other in group)
        )
        group = next(fitting, None)
        if group is None:
            groups.append([plant])
        else:
            group.append(plant)
    return [tuple(group) for group in groups]


def run_grid(plants: Sequence[Plant], setup: GridSetup, on_progress: OnProgress = ignore_progress) -> list[ScoredRun]:
    """Plants the behaviours, runs the whole comparison, and scores each run.

    Args:
        plants: The plants.
        setup: The models, prompts, methods and options of all runs.
        on_progress: Called with the progress of every stage of every run, and of `plants`, done and in all.

    Raises:
        ModelError: A model cannot be used at all.
        LimitError: A hard limit of calls or dollars was reached.
    """
    runs = runs_of(plants, setup.together)
    scored: list[ScoredRun] = []
    for number, group in enumerate(runs):
        on_progress(Stage("plants"), number, len(runs))
        scored.append(_run(group, setup, on_progress))
    on_progress(Stage("plants"), len(runs), len(runs))
    return scored


def _run(plants: Sequence[Plant], setup: GridSetup, on_progress: OnProgress) -> ScoredRun:
    prompts = with_phrase(setup.prompts, plants[0].trigger)
    names = ", ".join(plant.id for plant in plants)
    report = diff_models(
        setup.model,
        PlantedModel(setup.model, plants, prompts),
        prompts,
        methods=setup.methods,
        judge=setup.judge,
        options=replace(setup.options, settings={"planted": names}),
        on_progress=on_progress,
    )
    targets = [target_of(plant, report.pairs) for plant in plants]
    return score(report, targets, setup.methods, judge=setup.judge, on_progress=on_progress)


def setup_of(
    config: DiffConfig, together: int, *, limits: Limits | None = None, store: "Store | None" = None
) -> GridSetup:
    """Makes the setup of a grid from a configuration.

    Args:
        config: The configuration; its model A is the model, and model B must have the same name.
        together: The number of behaviours planted in one run.
        limits: The hard limits of all runs together.
        store: The cache of completions; None uses the user's cache folder.

    Raises:
        DiffingError: Anything that the user can fix, in one line.
    """
    from diffing.models.cache import default_store

    if is_recorded(config.model_a):
        raise SettingError(
            "Nothing can be planted in a recorded model: expected a model that can be asked. Give another MODEL"
        )
    # planting makes the sides differ, so the check against comparing a model with itself does not apply
    check(replace(config, system_prompt_b="planted"), limits or Limits())
    build = ModelBuilder(config, store or default_store(), meter_of(limits or Limits()))
    model = with_system_prompt(build.side("a"), config.system_prompt_a)
    judge = config.judge or config.llm
    return GridSetup(
        model=model,
        prompts=load_run_prompts(config, (model,)),
        methods=tuple(plan.build(config, build) for plan in plans_of(config)),
        judge=build.helper(judge) if judge else None,
        options=diff_options(config, build),
        together=together,
    )
