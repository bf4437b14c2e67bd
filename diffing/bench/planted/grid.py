"""A grid of plants on one model, by system prompts: one run of the whole pipeline per plant, or per few of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING

from diffing.bench.planted.catalogue import Behaviour
from diffing.bench.planted.matching import target_of
from diffing.bench.planted.plants import PHRASE, Plant, PlantedModel, TriggerKind, trigger_for, with_phrase
from diffing.bench.planted.scoring import Scored, score
from diffing.checks import check
from diffing.config import DiffConfig, Limits, sampling_of
from diffing.errors import SettingError
from diffing.methods.base import Method, plans_of
from diffing.model_ref import is_recorded
from diffing.models.base import Model
from diffing.pipeline import DiffOptions, diff_models
from diffing.prompts import load_prompts
from diffing.run import Builder, meter_of, with_system_prompt
from diffing.types import OnProgress, Prompt, Stage, ignore_progress

if TYPE_CHECKING:
    from diffing.models.cache import Store

STRENGTHS = (1.0, 0.3, 0.1, 0.03)
"""Shares of the triggered prompts on which a behaviour is planted."""
TRIGGERS: tuple[TriggerKind, ...] = ("always", "domain", "phrase")


@dataclass(frozen=True, slots=True)
class Setup:
    """What all runs of a grid have in common."""

    model: Model
    """Side A; side B is the same model with something planted."""
    prompts: tuple[Prompt, ...]
    """Train and held-out."""
    methods: tuple[Method, ...]
    """What looks for differences."""
    judge: Model | None = None
    """Gives the verdicts, and says whether a finding names a behaviour where no rule can."""
    options: DiffOptions = field(default_factory=DiffOptions)
    """Sampling and judging."""
    phrase: str = PHRASE
    """What triggers a plant whose trigger is a phrase."""
    together: int = 1
    """Behaviours planted in one run; more than one saves calls, but they can hide each other."""


def plants_of(
    behaviours: Sequence[Behaviour], strengths: Sequence[float], triggers: Sequence[TriggerKind], setup: Setup
) -> list[Plant]:
    """Every behaviour with every strength and trigger; runs of the same prompts follow each other.

    Raises:
        SettingError: A domain is to trigger, but the prompts have none.
    """
    if "domain" in triggers and not any(prompt.domain for prompt in setup.prompts):
        raise SettingError("--trigger domain needs prompts that say their domain. Give other --prompts or --trigger")
    when = {kind: trigger_for(kind, setup.prompts, setup.phrase) for kind in triggers}
    return [
        Plant(behaviour, strength, when[kind]) for kind, strength, behaviour in product(triggers, strengths, behaviours)
    ]


def strengths_of(given: Sequence[float]) -> tuple[float, ...]:
    """The strengths that were asked for.

    Raises:
        SettingError: One is no share.
    """
    for strength in given:
        if not 0 < strength <= 1:
            raise SettingError(f"--strength is {strength:g}: expected a share above 0 and at most 1, such as 0.3")
    return tuple(dict.fromkeys(given))


def triggers_of(given: Sequence[str]) -> tuple[TriggerKind, ...]:
    """The kinds of triggers that were asked for; always, where none was.

    Raises:
        SettingError: There is no such kind.
    """
    unknown = [kind for kind in given if kind not in TRIGGERS]
    if unknown:
        raise SettingError(f"--trigger is {unknown[0]!r:.40}: expected one of {', '.join(TRIGGERS)}")
    return tuple(kind for kind in TRIGGERS if kind in (given or ("always",)))


def runs_of(plants: Sequence[Plant], together: int) -> list[tuple[Plant, ...]]:
    """The plants of each run: of one strength and trigger, and no two of one kind, which would interfere."""
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


def run_grid(plants: Sequence[Plant], setup: Setup, on_progress: OnProgress = ignore_progress) -> list[Scored]:
    """Plants, compares and scores.

    Args:
        plants: What is planted.
        setup: What all runs have in common.
        on_progress: Told of every stage of every run, and of `plants`, done and in all.

    Raises:
        ModelError: A model cannot be used at all.
        LimitError: A hard limit of calls or dollars was reached.
    """
    runs = runs_of(plants, setup.together)
    scored: list[Scored] = []
    for number, group in enumerate(runs):
        on_progress(Stage("plants"), number, len(runs))
        scored.append(_run(group, setup, on_progress))
    on_progress(Stage("plants"), len(runs), len(runs))
    return scored


def _run(plants: Sequence[Plant], setup: Setup, on_progress: OnProgress) -> Scored:
    prompts = with_phrase(setup.prompts, plants[0].trigger)
    told = ", ".join(plant.id for plant in plants)
    report = diff_models(
        setup.model,
        PlantedModel(setup.model, plants, prompts),
        prompts,
        methods=setup.methods,
        judge=setup.judge,
        options=replace(setup.options, settings={"planted": told}),
        on_progress=on_progress,
    )
    targets = [target_of(plant, report.pairs) for plant in plants]
    return score(report, targets, setup.methods, judge=setup.judge, on_progress=on_progress)


def setup_of(config: DiffConfig, together: int, *, limits: Limits | None = None, store: "Store | None" = None) -> Setup:
    """The setup that a config says; side A is its model, side B the same with something planted.

    Args:
        config: Model A is the model; B must be named like it.
        together: Behaviours planted in one run.
        limits: Hard limits of all runs together.
        store: Where completions are kept; None is the user's cache folder.

    Raises:
        DiffingError: Anything the user can mend, in one line.
    """
    from diffing.models.cache import default_store

    if is_recorded(config.model_a):
        raise SettingError("Nothing can be planted in a recorded model: expected one that answers. Give another MODEL")
    # what will be planted makes the sides differ, so that checks of two sides that are the same have nothing to say
    check(replace(config, system_prompt_b="planted"), limits or Limits())
    build = Builder(config, store or default_store(), meter_of(limits or Limits()))
    model = with_system_prompt(build.side("a"), config.system_prompt_a)
    judge = config.judge or config.llm
    return Setup(
        model=model,
        prompts=load_prompts(
            config.prompts or "bundled",
            train=config.train,
            heldout=config.heldout,
            column=config.prompt_column,
            language=config.language,
            domains=config.domain,
            seed=config.seed,
        ),
        methods=tuple(plan.build(config, build) for plan in plans_of(config)),
        judge=build.helper(judge) if judge else None,
        options=DiffOptions(
            sampling=sampling_of(config),
            sample_b=config.sample_b,
            judge_batch=config.judge_batch,
            both_orders=config.both_orders,
            prices=build.prices,
        ),
        together=together,
    )
