"""Finds and tests hypotheses on the responses of both models, and makes the report.

It is apart from `pipeline`, because importing all that it needs takes longer than to see that nothing has changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from diffing import metrics
from diffing.coverage import cover
from diffing.diff_options import DiffOptions
from diffing.earlier_report import helper_models
from diffing.estimates import Metrics
from diffing.evaluation import findings_of
from diffing.grouping import families, merge
from diffing.judge import Judging, JudgingResult, judge, judge_in_stages
from diffing.judge.agreement import compare_with_measurement
from diffing.judge.audit import JudgeChecks, JudgedRun, check_judge
from diffing.judgements import Judgements
from diffing.levels import measured_values, with_levels
from diffing.methods.base import MeasuringMethod, Method, SeededMethod, measurements
from diffing.methods.heldout import HeldoutMethod
from diffing.models.base import Model
from diffing.ranking import order_findings
from diffing.ratings import rate
from diffing.responses import PromptResponses
from diffing.run_records import (
    judge_usage_of,
    left_out_of,
    note_on_scopes,
    notes_of,
    of_findings,
    priced,
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
    Pair,
    Report,
    Stage,
    Usage,
)
from diffing.versions import versions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def analyse(
    answered: PromptResponses,
    infos: tuple[ModelInfo, ModelInfo],
    methods: Sequence[Method],
    judge: Model | None,
    second_judge: Model | None,
    raters: Sequence[Model],
    options: DiffOptions,
    on_progress: OnProgress,
    on_hypotheses: OnHypotheses,
) -> Report:
    """Does what `diff_models` does once both models have answered.

    Args:
        answered: The responses of both models.
        infos: What the report says of both models.
        methods: See `diff_models`, as for all that follow.
        judge: The LLM that judges.
        second_judge: The second judge.
        raters: LLMs that rate.
        options: The options.
        on_progress: Called with the progress of every stage.
        on_hypotheses: Called with the hypotheses of each method before they are tested.
    """
    pairs = answered.pairs
    discoveries, measured, values, scopes = _discover(methods, pairs, on_progress, on_hypotheses)
    hypotheses = [hypothesis for discovery in discoveries for hypothesis in discovery.hypotheses]
    described = _described(discoveries, pairs, options)
    judged = _judged(methods, discoveries, described, pairs, judge, options, on_progress)
    by_judge = judged.judgements if judged else ()
    judgements = [*measured, *described, *by_judge]
    checked = compare_with_measurement([h for h in hypotheses if h.measure is None], by_judge, pairs)
    checks = JudgeChecks()
    if judge is not None and judged is not None:
        checks = check_judge(
            JudgedRun(judged, checked, infos),
            judge,
            second=second_judge,
            judging=_judging(options),
            sample=options.check_judge,
            on_progress=on_progress,
        )
    rated = rate(raters, hypotheses, on_progress=on_progress) if raters and hypotheses else None
    findings = findings_of(hypotheses, judgements, pairs, rated.ratings if rated else {}, options.alpha, scopes)
    discoveries = _with_heldout_records(methods, discoveries, findings, pairs, on_progress)
    judgements = of_findings(judgements, findings)
    known = measured_values(methods, [finding.hypothesis for finding in findings], pairs, values)
    findings = with_levels(findings, judgements, pairs, known, scopes.conditions.inside)
    merged = merge(findings, judgements, pairs, judge=judge, on_progress=on_progress)
    grouped = families(merged.entries, findings, judgements, pairs, methods=methods, inside=scopes.conditions.inside)
    repeated = Stability({}, ())
    repeated_calls: tuple[Usage, ...] = ()
    if options.stability > 1:
        tested = _Tested(methods, discoveries, measured, scopes, findings, judgements)
        repeated, repeated_calls = _repeat(tested, pairs, judge, options, on_progress)
    method_usage = [usage for discovery in discoveries for usage in discovery.usage]
    usage = [*answered.usage, *method_usage, *usage_after_discovery(judged, checks, rated, merged), *repeated_calls]
    return Report(
        model_a=infos[0],
        model_b=infos[1],
        others=helper_models(methods, judge, second_judge, raters),
        pairs=pairs,
        findings=order_findings(findings, grouped.weights),
        judgements=Judgements.of(judgements),
        tables={**tables_of(methods, discoveries, checked, checks), **repeated.tables},
        left_out=left_out_of(answered, methods, discoveries, judged),
        notes=(
            *(*answered.notes, *options.notes, *notes_of(discoveries, judged), *checked.notes, *checks.notes),
            *(*note_on_scopes(scopes, findings), *merged.notes, *repeated.notes),
        ),
        usage=tuple(priced(u, options.prices) for u in usage),
        settings=options.stored_settings,
        versions=versions(),
        merged=grouped.lines,
        coverage=cover(findings, grouped.lines, judgements, pairs),
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
    if options.judging == "full":
        return judge(model, to_judge, pairs, how, on_progress=on_progress)
    return judge_in_stages(
        model,
        to_judge,
        pairs,
        how,
        family=sum(len(discovery.hypotheses) for discovery in discoveries),
        known=described,
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
        described = _described(discoveries, pairs, reseeded)
        judged = _judged(run.methods, discoveries, described, pairs, model, reseeded, count_all)
        judgements = [*run.measured, *described, *(judged.judgements if judged else ())]
        hypotheses = [hypothesis for discovery in discoveries for hypothesis in discovery.hypotheses]
        for method, discovery in zip(run.methods, discoveries, strict=True):
            usage.extend(discovery.usage if method.name in by_seed else ())
        usage.extend(judge_usage_of(judged))
        findings = findings_of(hypotheses, judgements, pairs, {}, options.alpha, run.scopes)
        return seeded(findings, judgements, by)

    repeats = [again(by) for by in range(1, options.stability)]
    return stability_of(seeded(run.findings, run.judgements, 0), repeats, pairs), repeated_usage(usage)


def _judging(options: DiffOptions) -> Judging:
    return Judging(options.judge_batch, options.both_orders, options.sampling.seed)
