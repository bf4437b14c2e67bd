"""Executes a run: builds the models, prompts and methods that a configuration names, and returns the report."""

from dataclasses import replace
from typing import TYPE_CHECKING

from diffing.amplified import Amplified, answer_amplified
from diffing.checks import check
from diffing.config import DiffConfig, Limits, columns_of, settings_of
from diffing.methods.plan import plans_of
from diffing.model_ref import is_recorded
from diffing.models import LoadOptions, Model, Price, load_model
from diffing.models.server_notes import WithServerNotes
from diffing.pipeline import DiffOptions, diff_models, read_shares
from diffing.responses import respond
from diffing.run_prompts import prompts_of
from diffing.types import (
    OnHypotheses,
    OnProgress,
    OnResponse,
    Prompt,
    Report,
    Side,
    ignore_hypotheses,
    ignore_progress,
    ignore_response,
)

if TYPE_CHECKING:
    from diffing.methods.base import Method
    from diffing.models.cache import Store
    from diffing.models.meter import Meter
    from diffing.models.process_group import ProcessGroup
    from diffing.prompt_selection.selected import SelectedPrompts


def run(
    config: DiffConfig,
    *,
    limits: Limits | None = None,
    store: "Store | None" = None,
    models: tuple[Model, Model] | None = None,
    group: "ProcessGroup | None" = None,
    before: Report | None = None,
    meter: "Meter | None" = None,
    on_progress: OnProgress = ignore_progress,
    on_hypotheses: OnHypotheses = ignore_hypotheses,
    on_response: OnResponse = ignore_response,
) -> Report:
    """Executes the run that a configuration describes; if processes share it, the others call `contribute`.

    Args:
        config: The configuration.
        limits: Hard limits on calls and dollars.
        store: The cache of completions; None uses the one in the user's cache folder.
        models: The two models, if they cannot be loaded from the configuration's strings, which then only name them.
        group: The processes that share the run; None for a single one.
        before: The report of an earlier run, which is returned if nothing that decides the result has changed since.
        meter: The meter of several runs that share their limits; None for one of its own.
        on_progress: Called with the progress of every stage.
        on_hypotheses: Called with the hypotheses of each method before they are tested.
        on_response: Called with every response to a prompt as soon as it is there.

    Raises:
        DiffingError: Anything that the user can fix, in one line.
    """
    build = _checked_builder(config, limits or Limits(), store, group, meter)
    sides = build.sides(models)
    selected = build.prompts(sides, on_progress)
    report = diff_models(
        *sides,
        selected.prompts,
        methods=build.methods(),
        judge=build.judge(),
        second_judge=build.helper(config.second_judge) if config.second_judge else None,
        raters=[build.helper(spec) for spec in config.raters],
        amplified=build.amplified(),
        options=diff_options(config, build, selected.notes),
        before=before,
        on_progress=on_progress,
        on_hypotheses=on_hypotheses,
        on_response=on_response,
    )
    usage, notes = (*selected.usage, *report.usage), (*report.notes, *build.notes)
    return report if report is before else replace(report, usage=usage, notes=notes)


def contribute(
    config: DiffConfig, group: "ProcessGroup", *, limits: Limits | None = None, store: "Store | None" = None
) -> None:
    """Does the share of a process other than the first in a run that several processes share.

    It answers its share of the prompts and reads its share of the responses. The first process calls `run` with the
    same configuration.

    Args:
        config: The configuration.
        group: The processes that share the run.
        limits: Hard limits on calls and dollars.
        store: The cache of completions; None uses the one in the user's cache folder.

    Raises:
        DiffingError: Anything that the user can fix, in one line.
    """
    build = _checked_builder(config, limits or Limits(), store, group)
    sides = build.sides(None)
    selected = build.prompts(sides, ignore_progress)
    options = diff_options(config, build)
    samples = (options.sample_a, options.sample_b)
    if (amplified := build.amplified()) is not None:
        answer_amplified(amplified, selected.prompts, options.sampling, samples, ignore_progress)
    answered = respond(sides, selected.prompts, options.sampling, samples, ignore_progress)
    read_shares(build.methods(), answered.pairs, ignore_progress)


def _checked_builder(
    config: DiffConfig,
    limits: Limits,
    store: "Store | None",
    group: "ProcessGroup | None",
    meter: "Meter | None" = None,
) -> "ModelBuilder":
    from diffing.models.cache import default_store

    check(config, limits)
    return ModelBuilder(config, store or default_store(), meter or meter_of(limits), group)


def diff_options(config: DiffConfig, build: "ModelBuilder", notes: tuple[str, ...] = ()) -> DiffOptions:
    """The options of sampling, judging and prices that a configuration gives.

    Args:
        config: The configuration.
        build: The builder that loaded the models, which knows their prices.
        notes: Notes for the reader of the report.
    """
    return DiffOptions(
        sampling=config.sampling,
        sample_a=config.sample_a,
        sample_b=config.sample_b,
        judge_batch=config.judge_batch,
        both_orders=config.both_orders,
        check_judge=config.check_judge,
        judging=config.judging,
        stability=config.stability,
        alpha=config.alpha,
        prices=build.prices,
        settings=settings_of(config),
        notes=notes,
    )


def model_ids(config: DiffConfig, store: "Store | None" = None) -> tuple[str, str]:
    """Resolves the ids of the two models, with their commits, without downloading weights.

    Args:
        config: The configuration that names the models.
        store: The cache of completions; None uses the one in the user's cache folder.

    Raises:
        DiffingError: A model cannot be found or used.
    """
    build = _checked_builder(config, Limits(), store, None)
    return build.side("a").id, build.side("b").id


def meter_of(limits: Limits) -> "Meter | None":
    """The meter that enforces the hard limits of a run; None if it has no limits."""
    from diffing.models.meter import Meter

    if limits.max_calls is None and limits.max_usd is None:
        return None
    return Meter(max_calls=limits.max_calls, max_usd=limits.max_usd)


def with_system_prompt(model: Model, system_prompt: str | None) -> Model:
    """The model with a system prompt, or unchanged if there is none."""
    if not system_prompt:
        return model
    from diffing.models.system_prompt import WithSystemPrompt

    return WithSystemPrompt(model, system_prompt)


class ModelBuilder:
    """Loads the models that a configuration names; a model with several roles is loaded once."""

    def __init__(
        self, config: DiffConfig, store: "Store", meter: "Meter | None", group: "ProcessGroup | None" = None
    ) -> None:
        self._config = config
        self.store = store
        """The cache of completions and activations."""
        self.group = group
        """The processes that share the run; None for a single one."""
        self._meter = meter
        self._loaded: dict[tuple[str, LoadOptions], Model] = {}
        self._helpers: dict[str, WithServerNotes] = {}
        self.prices: dict[str, Price] = {}
        self.heldout: tuple[Prompt, ...] = ()
        """The held-out prompts, once `prompts` has chosen them."""
        self.compared: tuple[Model, Model]
        """Both models with their system prompts as this process asks them, once `sides` has loaded them."""

    def sides(self, models: tuple[Model, Model] | None) -> tuple[Model, Model]:
        """Both compared models with their system prompts, shared among the processes of the run.

        Args:
            models: The models, if they are not those that the configuration names.
        """
        own = models or (self.side("a"), self.side("b"))
        prompts = (self._config.system_prompt_a, self._config.system_prompt_b)
        self.compared = with_system_prompt(own[0], prompts[0]), with_system_prompt(own[1], prompts[1])
        a, b = (self._shared(model) for model in own)
        return with_system_prompt(a, prompts[0]), with_system_prompt(b, prompts[1])

    def amplified(self) -> "Amplified | None":
        """Both models with their differences amplified, if the configuration asks for it.

        Raises:
            SettingError: A model does not run here, or both are the same.
        """
        alpha = self._config.amplify
        if alpha is None:
            return None
        from diffing.models.amplification import amplified_against

        a, b = self.compared
        models = (amplified_against(a, b, alpha, self.store), amplified_against(b, a, alpha, self.store))
        return Amplified((self._shared(models[0]), self._shared(models[1])), alpha)

    def prompts(self, sides: tuple[Model, Model], on_progress: OnProgress) -> "SelectedPrompts":
        """The prompts of the run, which are the same in all of its processes.

        Args:
            sides: Both models, from `sides`.
            on_progress: Called after every answer that the selection needs.
        """
        llm = self._shared(self.helper(self._config.llm)) if self._config.llm else None
        selected = prompts_of(self._config, sides, llm, on_progress)
        self.heldout = tuple(prompt for prompt in selected.prompts if prompt.split == "heldout")
        return selected

    def methods(self) -> "list[Method]":
        """The methods of the run."""
        return [plan.build(self._config, self) for plan in plans_of(self._config)]

    def judge(self) -> Model | None:
        """The LLM that gives the verdicts; None if none is given, or if every method measures."""
        spec = self._config.judge or self._config.llm
        return self.helper(spec) if spec and any(plan.judged for plan in plans_of(self._config)) else None

    def _shared(self, model: Model) -> Model:
        """The model as the processes of the run share it; recorded responses are read by each of them."""
        from diffing.models.recorded import RecordedModel

        if self.group is None or isinstance(model, RecordedModel):
            return model
        from diffing.models.shared_model import SharedModel

        return SharedModel(model, self.group)

    def side(self, side: Side) -> Model:
        """The model that is compared on one side, A or B."""
        return self._load(getattr(self._config, f"model_{side}"), side)

    def helper(self, spec: str) -> Model:
        """An LLM that describes differences, judges or rates."""
        if spec not in self._helpers:
            self._helpers[spec] = WithServerNotes(self._load(spec, None))
        return self._helpers[spec]

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes on what the servers of the helper LLMs say about how their replies came about."""
        return tuple(note for each in self._helpers.values() for note in each.server.notes(f"the LLM {each.id}"))

    def _load(self, spec: str, side: Side | None) -> Model:
        config = self._config
        options = LoadOptions(
            dtype=config.dtype,
            quantization=getattr(config, f"quantization_{side}") if side else None,
            chat_template=getattr(config, f"chat_template_{side}") if side else None,
            trust_remote_code=config.trust_remote_code,
            allow_pickle=config.allow_pickle,
            local_rank=self.group.local_rank if self.group else None,
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
