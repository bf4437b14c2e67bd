"""From a config to a report: builds models, prompts and methods, and does the main job."""

from dataclasses import replace
from typing import TYPE_CHECKING

from diffing.checks import check
from diffing.config import DiffConfig, Limits, columns_of, sampling_of, settings_of
from diffing.methods.base import plans_of
from diffing.model_ref import is_recorded
from diffing.models import LoadOptions, Model, Price, load_model
from diffing.models.server_notes import Watched
from diffing.pipeline import DiffOptions, diff_models
from diffing.run_prompts import prompts_of
from diffing.types import OnFound, OnProgress, Report, Side, ignore_found, ignore_progress

if TYPE_CHECKING:
    from diffing.models.cache import Store
    from diffing.models.meter import Meter


def run(
    config: DiffConfig,
    *,
    limits: Limits | None = None,
    store: "Store | None" = None,
    models: tuple[Model, Model] | None = None,
    on_progress: OnProgress = ignore_progress,
    on_found: OnFound = ignore_found,
) -> Report:
    """Does what a config says.

    Args:
        config: What to do.
        limits: Hard limits of calls and dollars.
        store: Where completions are kept; None is the user's cache folder.
        models: The two models, where the config's strings cannot make them; these then only name them.
        on_progress: Told of every stage.
        on_found: Told what each method found, before it is tested.

    Raises:
        DiffingError: Anything the user can mend, in one line.
    """
    from diffing.models.cache import default_store

    check(config, limits or Limits())
    build = Builder(config, store or default_store(), meter_of(limits or Limits()))
    model_a, model_b = models or (build.side("a"), build.side("b"))
    sides = with_system_prompt(model_a, config.system_prompt_a), with_system_prompt(model_b, config.system_prompt_b)
    elicited = prompts_of(config, sides, build.helper(config.llm) if config.llm else None, on_progress)
    judge_spec = config.judge or config.llm
    judge = build.helper(judge_spec) if judge_spec and any(plan.judged for plan in plans_of(config)) else None
    report = diff_models(
        *sides,
        elicited.prompts,
        methods=[plan.build(config, build) for plan in plans_of(config)],
        judge=judge,
        second_judge=build.helper(config.second_judge) if config.second_judge else None,
        raters=[build.helper(spec) for spec in config.raters],
        options=_options(config, build, elicited.notes),
        on_progress=on_progress,
        on_found=on_found,
    )
    return replace(report, usage=(*elicited.usage, *report.usage), notes=(*report.notes, *build.notes))


def _options(config: DiffConfig, build: "Builder", notes: tuple[str, ...]) -> DiffOptions:
    return DiffOptions(
        sampling=sampling_of(config),
        sample_a=config.sample_a,
        sample_b=config.sample_b,
        judge_batch=config.judge_batch,
        both_orders=config.both_orders,
        check_judge=config.check_judge,
        judging=config.judging,
        alpha=config.alpha,
        prices=build.prices,
        settings=settings_of(config),
        notes=notes,
    )


def model_ids(config: DiffConfig, store: "Store | None" = None) -> tuple[str, str]:
    """The ids of the two models, with their commits; downloads no weights.

    Args:
        config: Names the models.
        store: Where completions are kept; None is the user's cache folder.

    Raises:
        DiffingError: A model that cannot be found or used.
    """
    from diffing.models.cache import default_store

    check(config, Limits())
    build = Builder(config, store or default_store(), None)
    return build.side("a").id, build.side("b").id


def meter_of(limits: Limits) -> "Meter | None":
    """The meter of a run with hard limits; None without any."""
    from diffing.models.meter import Meter

    if limits.max_calls is None and limits.max_usd is None:
        return None
    return Meter(max_calls=limits.max_calls, max_usd=limits.max_usd)


def with_system_prompt(model: Model, system_prompt: str | None) -> Model:
    """The model with a system prompt of its own, or as it is."""
    if not system_prompt:
        return model
    from diffing.models.system_prompt import WithSystemPrompt

    return WithSystemPrompt(model, system_prompt)


class Builder:
    """Turns the strings of a config into models and methods; a model that plays several roles is loaded once."""

    def __init__(self, config: DiffConfig, store: "Store", meter: "Meter | None") -> None:
        self._config = config
        self.store = store
        self._meter = meter
        self._loaded: dict[tuple[str, LoadOptions], Model] = {}
        self._helpers: dict[str, Watched] = {}
        self.prices: dict[str, Price] = {}

    def side(self, side: Side) -> Model:
        """Model A or B."""
        return self._load(getattr(self._config, f"model_{side}"), side)

    def helper(self, spec: str) -> Model:
        """A model that describes, judges or rates."""
        if spec not in self._helpers:
            self._helpers[spec] = Watched(self._load(spec, None))
        return self._helpers[spec]

    @property
    def notes(self) -> tuple[str, ...]:
        """What the servers of those models told of how their replies came about."""
        return tuple(note for each in self._helpers.values() for note in each.told.notes(f"the LLM {each.id}"))

    def _load(self, spec: str, side: Side | None) -> Model:
        config = self._config
        options = LoadOptions(
            dtype=config.dtype,
            quantization=getattr(config, f"quantization_{side}") if side else None,
            chat_template=getattr(config, f"chat_template_{side}") if side else None,
            trust_remote_code=config.trust_remote_code,
            allow_pickle=config.allow_pickle,
            base_url=config.base_url,
            bill_to=config.bill_to,
            columns=columns_of(config, side) if side and is_recorded(spec) else None,
            concurrency=config.concurrency,
            timeout=config.timeout,
        )
        if (spec, options) not in self._loaded:
            model = load_model(spec, options=options, cache=self.store, meter=self._meter, price=config.price)
            if model.remote and config.price is not None:
                self.prices[model.id] = config.price
            self._loaded[spec, options] = model
        return self._loaded[spec, options]
