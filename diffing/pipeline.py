"""The main function `diff_models`: takes two models, prompts and methods, runs every stage and returns a report.

It does not depend on any backend, particular method or file. Resuming an interrupted run needs no code here, because
the models cache every completion.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from diffing import metrics
from diffing.coverage import cover
from diffing.errors import SettingError
from diffing.estimates import Metrics
from diffing.evaluation import findings_of
from diffing.fresh_prompts import TABLE as FRESH_PROMPTS
from diffing.fresh_prompts import Compared, OwnPrompts, own_prompts
from diffing.grouping import families, merge
from diffing.judge import Judging, JudgingResult, judge, judge_in_stages
from diffing.judge.agreement import compare_with_measurement
from diffing.judge.audit import SAMPLE, JudgeChecks, JudgedRun, check_judge
from diffing.judgements import Judgements
from diffing.levels import measured_values, with_levels
from diffing.methods.base import MeasuringMethod, Method, SeededMethod, SharedReadingMethod, measurements
from diffing.methods.heldout import HeldoutMethod
from diffing.models.base import Model, Price, Sampling
from diffing.ranking import order_findings
from diffing.ratings import rate
from diffing.responses import respond
from diffing.run_records import (
    helper_models,
    judge_usage_of,
    left_out_of,
    note_on_scopes,
    notes_of,
    of_findings,
    priced,
    still_holds,
    tables_of,
    usage_after_discovery,
)
from diffing.scopes import MeasuredScopes, find_scoped
from diffing.stability import SeededRun, Stability, repeated_usage, stability_of
from diffing.stages import REPEAT
from diffing.types import (
    Discovery,
    Finding,
    Hypothesis,
    Judgement,
    Measure,
    ModelInfo,
    OnHypotheses,
    OnProgress,
    OnResponse,
    Pair,
    Prompt,
    Report,
    Scalar,
    Stage,
    Usage,
    ignore_hypotheses,
    ignore_progress,
    ignore_response,
)
from diffing.versions import versions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DECLINED = "not taken by the server"
"""Value shown for a model's setting that was not sent, because the model's server declines it."""


@dataclass(frozen=True, slots=True)
class DiffOptions:
    """Options of a comparison other than the models, the prompts and the methods."""

    sampling: Sampling = field(default_factory=Sampling)
    """Sampling parameters of both models' responses."""
    sample_a: int = 0
    """Sample number of model A."""
    sample_b: int = 0
    """Sample number of model B. If A and B are the same model, different numbers make it a null comparison."""
    judge_batch: int = 20
    """Hypotheses per question to the judge."""
    both_orders: bool = False
    """Whether to ask the judge twice, with the responses swapped; a disagreement counts as NEITHER."""
    judging: Literal["thrift", "full"] = "thrift"
    """`thrift` uses the train verdicts that a method already has, and stops early for a hypothesis once its outcome is
    clear; `full` judges every hypothesis on every pair."""
    check_judge: int = SAMPLE
    """Number of questions that the judge is asked again, to check its consistency; 0 turns the check off."""
    stability: int = 1
    """How many times hypotheses are found and judged, with consecutive seeds, to see which come back; 1 for once."""
    alpha: float = 0.01
    """Margin of the paper's acceptance criterion."""
    prices: Mapping[str, Price] = field(default_factory=dict)
    """Dollars per million tokens, by model id."""
    settings: Mapping[str, Scalar] = field(default_factory=dict)
    """The settings that the report stores; if empty, it stores the options of this object."""
    notes: tuple[str, ...] = ()
    """Notes on how the run was set up, which are added to the report's notes."""


def diff_models(
    model_a: Model,
    model_b: Model,
    prompts: Sequence[Prompt],
    *,
    methods: Sequence[Method],
    judge: Model | None = None,
    second_judge: Model | None = None,
    raters: Sequence[Model] = (),
    options: DiffOptions | None = None,
    before: Report | None = None,
    on_progress: OnProgress = ignore_progress,
    on_hypotheses: OnHypotheses = ignore_hypotheses,
    on_response: OnResponse = ignore_response,
) -> Report:
    """Finds hypotheses on how two models behave differently on train prompts, and tests them on held-out prompts.

    Args:
        model_a: The first model.
        model_b: The second model; may be the first again, with another sample number.
        prompts: Train and held-out prompts.
        methods: Methods that propose hypotheses; each sees train pairs only.
        judge: The LLM that gives the verdicts; not needed if every method measures its hypotheses.
        second_judge: Another LLM, which is asked a sample of the judge's questions as a check of the first.
        raters: LLMs that rate interestingness and abstraction.
        options: Sampling, judging, prices.
        before: The report of an earlier run, which is returned if nothing that decides the result has changed since.
        on_progress: Called with the progress of every stage.
        on_hypotheses: Called with the hypotheses of each method before they are tested.
        on_response: Called with every response to a prompt as soon as it is there.

    Raises:
        SettingError: A split has no prompts, or a method needs a judge and none is given.
        ModelError: A model cannot be used at all.
        LimitError: A hard limit of calls or dollars was reached.
    """
    options = options or DiffOptions()
    _check(prompts, methods, judge, options)
    samples = (options.sample_a, options.sample_b)
    answered = respond((model_a, model_b), prompts, options.sampling, samples, on_progress, on_response)
    pairs = answered.pairs
    read_shares(methods, pairs, on_progress)
    info_a = _info(model_a, "model_a", options, options.sample_a, answered.declined["a"])
    info_b = _info(model_b, "model_b", options, options.sample_b, answered.declined["b"])
    others = helper_models(methods, judge, second_judge, raters)
    if before is not None and still_holds(before, answered, (info_a, info_b), others, _settings_of(options)):
        return before
    discoveries, measured, values, scopes = _discover(methods, pairs, on_progress, on_hypotheses)
    hypotheses = [hypothesis for discovery in discoveries for hypothesis in discovery.hypotheses]
    compared = Compared((model_a, model_b), options.sampling, samples)
    own = own_prompts(discoveries, pairs, compared, judge, on_progress)
    described = _described(discoveries, (*pairs, *own.probes), options)
    judged = _judged(methods, discoveries, described, pairs, own, judge, options, on_progress)
    by_judge = judged.judgements if judged else ()
    judgements = [*measured, *described, *by_judge]
    checked = compare_with_measurement([h for h in hypotheses if h.measure is None], by_judge, pairs)
    checks = JudgeChecks()
    if judge is not None and judged is not None:
        checks = check_judge(
            JudgedRun(judged, checked, (info_a, info_b)),
            judge,
            second=second_judge,
            judging=_judging(options),
            sample=options.check_judge,
            on_progress=on_progress,
        )
    rated = rate(raters, hypotheses, on_progress=on_progress) if raters and hypotheses else None
    findings = findings_of(
        hypotheses, judgements, pairs, rated.ratings if rated else {}, options.alpha, scopes, own.pairs
    )
    discoveries = _with_heldout_records(methods, discoveries, findings, pairs, on_progress)
    judgements = of_findings(judgements, findings)
    known = measured_values(methods, [finding.hypothesis for finding in findings], pairs, values)
    findings = with_levels(findings, judgements, pairs, known, scopes.conditions.inside, own.pairs)
    merged = merge(findings, judgements, (*pairs, *own.pairs), judge=judge, on_progress=on_progress)
    grouped = families(merged.entries, findings, judgements, pairs, methods=methods, inside=scopes.conditions.inside)
    repeated = Stability({}, ())
    repeated_calls: tuple[Usage, ...] = ()
    if options.stability > 1:
        tested = _Tested(methods, discoveries, measured, scopes, findings, judgements, own)
        repeated, repeated_calls = _repeat(tested, pairs, judge, options, on_progress)
    method_usage = [usage for discovery in discoveries for usage in discovery.usage]
    usage = [
        *answered.usage,
        *method_usage,
        *own.usage,
        *usage_after_discovery(judged, checks, rated, merged),
        *repeated_calls,
    ]
    return Report(
        model_a=info_a,
        model_b=info_b,
        others=others,
        pairs=(*pairs, *own.pairs),
        findings=order_findings(findings, grouped.weights),
        judgements=Judgements.of(judgements),
        tables={
            **tables_of(methods, discoveries, checked, checks),
            **({FRESH_PROMPTS: own.rows} if own.rows else {}),
            **repeated.tables,
        },
        left_out=left_out_of(answered, methods, discoveries, judged),
        notes=(
            *(
                *answered.notes,
                *options.notes,
                *notes_of(discoveries, judged),
                *own.notes,
                *checked.notes,
                *checks.notes,
            ),
            *(*note_on_scopes(scopes, findings), *merged.notes, *repeated.notes),
        ),
        usage=tuple(priced(u, options.prices) for u in usage),
        settings=_settings_of(options),
        versions=versions(),
        merged=grouped.lines,
        coverage=cover(findings, grouped.lines, judgements, pairs),
    )


def read_shares(methods: Sequence[Method], pairs: Sequence[Pair], on_progress: OnProgress) -> None:
    """Has the methods that read responses do so now, if several processes share that work.

    Args:
        methods: The methods of the run.
        pairs: All pairs.
        on_progress: Called with the progress of reading.
    """
    for method in methods:
        if isinstance(method, SharedReadingMethod):
            method.read_share(pairs, on_progress)


def _check(prompts: Sequence[Prompt], methods: Sequence[Method], judge: Model | None, options: DiffOptions) -> None:
    """Refuses arguments that would fail, before anything is paid."""
    if not methods:
        raise SettingError("No method was given: expected at least one, such as LexicalMethod()")
    names = [method.name for method in methods]
    if len(set(names)) < len(names):
        raise SettingError(f"A method was given twice among {', '.join(names)}: its verdicts would count twice")
    for split in ("train", "heldout"):
        if not any(prompt.split == split for prompt in prompts):
            raise SettingError(
                f"There are 0 {split} prompts among {len(prompts)}: expected at least 1. Give more prompts"
            )
    unmeasured = [method.name for method in methods if not isinstance(method, MeasuringMethod)]
    if unmeasured and judge is None:
        raise SettingError(f"Method {unmeasured[0]} needs a judge. Give a model that judges (--judge or --llm)")
    if options.stability > 1 and not any(isinstance(method, SeededMethod) for method in methods):
        raise SettingError(
            f"Stability is {options.stability}, but no method depends on the seed, so every repeat would give the "
            "same. Add LlmMethod, or leave stability at 1"
        )


def _discover(
    methods: Sequence[Method], pairs: Sequence[Pair], on_progress: OnProgress, on_hypotheses: OnHypotheses
) -> tuple[list[Discovery], list[Judgement], dict[Measure, "NDArray[np.float64]"], MeasuredScopes]:
    """Each method's hypotheses from train pairs, and what the measuring methods give on all pairs."""
    train = [pair for pair in pairs if pair.prompt.split == "train"]
    discoveries: list[Discovery] = []
    judgements: list[Judgement] = []
    values: dict[Measure, NDArray[np.float64]] = {}
    for method in methods:
        discovery = method.find_hypotheses(train, on_progress)
        discoveries.append(discovery)
        if isinstance(method, MeasuringMethod):
            measured = measurements(method, discovery.hypotheses, pairs)
            judgements += measured.judgements
            values |= measured.values
            on_hypotheses(_with_train_metrics(discovery.hypotheses, measured.judgements, train))
        else:
            on_hypotheses([(hypothesis, None) for hypothesis in discovery.hypotheses])
    scopes = find_scoped(methods, discoveries, judgements, pairs)
    if scopes.hypotheses:
        on_hypotheses(_with_train_metrics(scopes.hypotheses, scopes.judgements, train))
    extended = [
        replace(discovery, hypotheses=(*discovery.hypotheses, *scopes.of_method(method.name)))
        for method, discovery in zip(methods, discoveries, strict=True)
    ]
    return extended, [*judgements, *scopes.judgements], values, scopes


def _with_heldout_records(
    methods: Sequence[Method],
    discoveries: Sequence[Discovery],
    findings: Sequence[Finding],
    pairs: Sequence[Pair],
    on_progress: OnProgress,
) -> list[Discovery]:
    """Adds to each method's records what it knows only from held-out pairs."""
    heldout = [pair for pair in pairs if pair.prompt.split == "heldout"]
    confirmed = [finding.hypothesis for finding in order_findings(findings) if finding.confirmed]
    completed = []
    for method, discovery in zip(methods, discoveries, strict=True):
        if isinstance(method, HeldoutMethod):
            own = [hypothesis for hypothesis in confirmed if hypothesis.method == method.name]
            records = method.heldout_records(own, heldout, on_progress)
            tables, notes = {**discovery.tables, **records.tables}, (*discovery.notes, *records.notes)
            discovery = replace(discovery, tables=tables, notes=notes)
        completed.append(discovery)
    return completed


def _with_train_metrics(
    hypotheses: Sequence[Hypothesis], measured: Sequence[Judgement], train: Sequence[Pair]
) -> list[tuple[Hypothesis, Metrics | None]]:
    """Adds their metrics on train to hypotheses that were measured."""
    train_ids = {pair.prompt.id for pair in train}
    on_train: dict[str, list[Judgement]] = {hypothesis.id: [] for hypothesis in hypotheses}
    for judgement in measured:
        if judgement.prompt_id in train_ids:
            on_train[judgement.hypothesis_id].append(judgement)
    return [(each, metrics.measure(on_train[each.id], each.direction)) for each in hypotheses]


def _described(discoveries: Sequence[Discovery], pairs: Sequence[Pair], options: DiffOptions) -> list[Judgement]:
    """The verdicts on train pairs that methods brought; none if the judge is to judge everything."""
    if options.judging == "full":
        return []
    train_ids = {pair.prompt.id for pair in pairs if pair.prompt.split == "train"}
    brought = [judgement for discovery in discoveries for judgement in discovery.judgements]
    return [judgement for judgement in brought if judgement.prompt_id in train_ids]


def _judged(
    methods: Sequence[Method],
    discoveries: Sequence[Discovery],
    described: Sequence[Judgement],
    pairs: Sequence[Pair],
    own: OwnPrompts,
    model: Model | None,
    options: DiffOptions,
    on_progress: OnProgress,
) -> JudgingResult | None:
    """The judge's verdicts on the hypotheses of methods that do not measure; None without such hypotheses."""
    to_judge = [
        hypothesis
        for method, discovery in zip(methods, discoveries, strict=True)
        if not isinstance(method, MeasuringMethod)
        for hypothesis in discovery.hypotheses
    ]
    if not to_judge or model is None:
        return None
    how = _judging(options)
    others = [hypothesis for hypothesis in to_judge if not own.tested_apart(hypothesis)]
    if options.judging == "full":
        return judge(model, others, pairs, how, apart=own.apart, on_progress=on_progress)
    return judge_in_stages(
        model,
        others,
        pairs,
        how,
        family=sum(len(discovery.hypotheses) for discovery in discoveries),
        known=described,
        apart=own.apart,
        on_progress=on_progress,
    )


@dataclass(frozen=True, slots=True)
class _Tested:
    """What a run found and tested."""

    methods: Sequence[Method]
    discoveries: Sequence[Discovery]
    measured: Sequence[Judgement]
    scopes: MeasuredScopes
    findings: tuple[Finding, ...]
    judgements: Sequence[Judgement]
    own: OwnPrompts


def _repeat(
    run: _Tested, pairs: Sequence[Pair], model: Model | None, options: DiffOptions, on_progress: OnProgress
) -> tuple[Stability, tuple[Usage, ...]]:
    """Repeats a run with the next seeds, on the same responses, and compares what is confirmed."""
    by_seed = {method.name for method in run.methods if isinstance(method, SeededMethod)}
    train = [pair for pair in pairs if pair.prompt.split == "train"]
    usage: list[Usage] = []
    done = 0

    def count_all(stage: Stage, begun: int, total: int) -> None:
        nonlocal done
        done += begun > 0
        on_progress(REPEAT, done, 0)

    def seeded(findings: Sequence[Finding], judgements: Sequence[Judgement], by: int) -> SeededRun:
        own = tuple(finding for finding in findings if finding.hypothesis.method in by_seed)
        return SeededRun(options.sampling.seed + by, own, judgements)

    def again(by: int) -> SeededRun:
        reseeded = replace(options, sampling=replace(options.sampling, seed=options.sampling.seed + by))
        discoveries = [
            method.reseeded(by).find_hypotheses(train, count_all) if isinstance(method, SeededMethod) else discovery
            for method, discovery in zip(run.methods, run.discoveries, strict=True)
        ]
        described = _described(discoveries, (*pairs, *run.own.probes), reseeded)
        judged = _judged(run.methods, discoveries, described, pairs, run.own, model, reseeded, count_all)
        judgements = [*run.measured, *described, *(judged.judgements if judged else ())]
        hypotheses = [hypothesis for discovery in discoveries for hypothesis in discovery.hypotheses]
        for method, discovery in zip(run.methods, discoveries, strict=True):
            usage.extend(discovery.usage if method.name in by_seed else ())
        usage.extend(judge_usage_of(judged))
        findings = findings_of(hypotheses, judgements, pairs, {}, options.alpha, run.scopes, run.own.pairs)
        return seeded(findings, judgements, by)

    repeats = [again(by) for by in range(1, options.stability)]
    return stability_of(seeded(run.findings, run.judgements, 0), repeats, pairs), repeated_usage(usage)


def _judging(options: DiffOptions) -> Judging:
    return Judging(options.judge_batch, options.both_orders, options.sampling.seed)


def _info(model: Model, role: str, options: DiffOptions, sample: int, declined: Sequence[str]) -> ModelInfo:
    side = role[-1]
    own = {key[:-2]: value for key, value in options.settings.items() if key.endswith(f"_{side}") and value is not None}
    own.pop("model", None)
    not_sent = dict.fromkeys(declined, DECLINED)
    return ModelInfo(id=model.id, role=role, settings={**own, **not_sent, "sample": sample})


def _settings_of(options: DiffOptions) -> dict[str, Scalar]:
    """The settings that the report stores: those that are given, else the options that influence the result."""
    if options.settings:
        return dict(options.settings)
    sampling = {key: value for key, value in asdict(options.sampling).items() if key not in ("sample", "json_schema")}
    own = ("sample_a", "sample_b", "judge_batch", "both_orders", "judging", "check_judge", "stability", "alpha")
    return {**sampling, **{name: getattr(options, name) for name in own}}
