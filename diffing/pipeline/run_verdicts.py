"""Collects the verdicts on all hypotheses of a run: measured, brought by methods, and given by the judge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from diffing.fresh_prompts import OwnPrompts
from diffing.judge import Judging, JudgingResult, judge, judge_in_stages
from diffing.judge.agreement import Agreement, compare_with_measurement
from diffing.judge.audit import JudgeChecks, JudgedRun, check_judge
from diffing.methods.base import MeasuringMethod
from diffing.pipeline.diff_options import DiffOptions
from diffing.pipeline.method_discoveries import RunDiscoveries
from diffing.pipeline.model_comparison import ModelComparison
from diffing.ratings import RunRatings, rate
from diffing.types import Discovery, Judgement, OnProgress, Pair, Rating


@dataclass(frozen=True, slots=True)
class RunJudgements:
    """The verdicts of the judge, and those that methods brought in its place."""

    brought: Sequence[Judgement]
    """Verdicts on train pairs that methods already had."""
    result: JudgingResult | None
    """What the judge gave; None if every hypothesis is measured."""

    @property
    def judgements(self) -> list[Judgement]:
        """All of these verdicts."""
        return [*self.brought, *(self.result.judgements if self.result else ())]


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The verdicts on all hypotheses of a run, how far the judge can be relied on, and the ratings."""

    judgements: Sequence[Judgement]
    """All verdicts."""
    judged: JudgingResult | None
    """What the judge gave; None if every hypothesis is measured."""
    agreement: Agreement
    """The judge's verdicts compared with measurements."""
    checks: JudgeChecks
    """What the judge said when it was asked again."""
    rated: RunRatings | None
    """What the raters gave; None without raters or hypotheses."""

    @property
    def ratings(self) -> Mapping[str, Rating]:
        """Ratings by hypothesis id."""
        return self.rated.ratings if self.rated else {}


def judged(
    run: ModelComparison,
    discoveries: Sequence[Discovery],
    own: OwnPrompts,
    options: DiffOptions,
    on_progress: OnProgress,
) -> RunJudgements:
    """Has the judge test the hypotheses of methods that do not measure.

    Args:
        run: The responses, the methods and the judge.
        discoveries: By method, the hypotheses.
        own: The prompts that only some of these have verdicts on.
        options: The options of judging, which may have another seed than the run's.
        on_progress: Called with the progress of judging.
    """
    brought = _brought((*run.train, *own.probes), discoveries, options)
    to_judge = [
        hypothesis
        for method, discovery in zip(run.helpers.methods, discoveries, strict=True)
        if not isinstance(method, MeasuringMethod)
        for hypothesis in discovery.hypotheses
    ]
    model, how = run.helpers.judge, _judging(options)
    if not to_judge or model is None:
        return RunJudgements(brought, None)
    if options.judging == "full":
        others, apart = own.without_apart(to_judge), own.apart_with_probes
        return RunJudgements(brought, judge(model, others, run.pairs, how, apart=apart, on_progress=on_progress))
    result = judge_in_stages(
        model,
        own.without_apart(to_judge),
        run.pairs,
        how,
        family=sum(len(discovery.hypotheses) for discovery in discoveries),
        known=brought,
        apart=own.apart,
        on_progress=on_progress,
    )
    return RunJudgements(brought, result)


def _judging(options: DiffOptions) -> Judging:
    return Judging(options.judge_batch, options.both_orders, options.sampling.seed)


def _brought(train: Sequence[Pair], discoveries: Sequence[Discovery], options: DiffOptions) -> list[Judgement]:
    """The verdicts on train pairs that methods brought; none if the judge is to judge everything."""
    if options.judging == "full":
        return []
    train_ids = {pair.prompt.id for pair in train}
    brought = [judgement for discovery in discoveries for judgement in discovery.judgements]
    return [judgement for judgement in brought if judgement.prompt_id in train_ids]


def verdicts_on(run: ModelComparison, found: RunDiscoveries) -> Verdicts:
    """Has the judge and the raters give their verdicts, and checks the judge.

    Args:
        run: The responses, the methods, the judges and the raters.
        found: The hypotheses, and what is measured.
    """
    helpers, options = run.helpers, run.options
    by_judge = judged(run, found.discoveries, found.own, options, run.on_progress)
    result = by_judge.result
    unmeasured = [hypothesis for hypothesis in found.hypotheses if hypothesis.measure is None]
    agreement = compare_with_measurement(unmeasured, result.judgements if result else (), run.pairs)
    checks = JudgeChecks()
    if helpers.judge is not None and result is not None:
        checks = check_judge(
            JudgedRun(result, agreement, run.models),
            helpers.judge,
            second=helpers.second_judge,
            judging=_judging(options),
            sample=options.check_judge,
            on_progress=run.on_progress,
        )
    rated = None
    if helpers.raters and found.hypotheses:
        rated = rate(helpers.raters, found.hypotheses, on_progress=run.on_progress)
    return Verdicts([*found.judgements, *by_judge.judgements], result, agreement, checks, rated)
