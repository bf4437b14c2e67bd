"""The main function `diff_models`: takes two models, prompts and methods, runs every stage and returns a report.

It does not depend on any backend, particular method or file. Resuming an interrupted run needs no code here, because
the models cache every completion.
"""

from collections.abc import Sequence
from dataclasses import replace

from diffing.coverage import cover
from diffing.evaluation import findings_of
from diffing.fresh_prompts import Answers, own_prompts
from diffing.grouping import BehaviourGroups, Merging, group_by_behaviour, merge
from diffing.judgements import Judgements
from diffing.levels import measured_values, with_levels
from diffing.methods.base import Method
from diffing.models.base import Model
from diffing.pipeline.comparison import Helpers, ModelComparison, compared, read_shares
from diffing.pipeline.discovery import Discovered, discover, with_heldout_records
from diffing.pipeline.options import DiffOptions
from diffing.pipeline.repeats import Repeats, repeat_run
from diffing.pipeline.verdicts import Verdicts, verdicts_on
from diffing.ranking import order_findings
from diffing.run_records import (
    left_out_of,
    note_on_scopes,
    notes_of,
    of_findings,
    priced,
    still_holds,
    tables_of,
    usage_after_discovery,
)
from diffing.types import (
    Finding,
    Judgement,
    OnHypotheses,
    OnProgress,
    OnResponse,
    Prompt,
    Report,
    Usage,
    ignore_hypotheses,
    ignore_progress,
    ignore_response,
)
from diffing.versions import versions

__all__ = ["DiffOptions", "diff_models", "read_shares"]


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
    helpers = Helpers(methods, judge, second_judge, raters)
    run = compared((model_a, model_b), prompts, helpers, options or DiffOptions(), on_progress, on_response)
    if before is not None and still_holds(
        before, run.answered, run.models, helpers.infos, run.options.stored_settings()
    ):
        return before
    found = discover(run, on_hypotheses)
    answers = Answers(run.options.sampling, (run.options.sample_a, run.options.sample_b))
    found = replace(found, own=own_prompts(methods, found.discoveries, run.pairs, answers, judge, on_progress))
    return _tested(run, found, verdicts_on(run, found))


def _tested(run: ModelComparison, found: Discovered, verdicts: Verdicts) -> Report:
    """Tests all hypotheses by their verdicts, groups the findings and makes the report."""
    pairs, methods, inside, apart = run.pairs, run.helpers.methods, found.scopes.conditions.inside, found.own.pairs
    findings = findings_of(
        found.hypotheses, verdicts.judgements, pairs, verdicts.ratings, run.options.alpha, found.scopes, apart
    )
    found = with_heldout_records(run, found, findings)
    judgements = of_findings(verdicts.judgements, findings)
    values = measured_values(methods, [finding.hypothesis for finding in findings], pairs, found.values)
    findings = with_levels(findings, judgements, pairs, values, inside, apart)
    merged = merge(findings, judgements, (*pairs, *apart), judge=run.helpers.judge, on_progress=run.on_progress)
    grouped = group_by_behaviour(merged.entries, findings, judgements, pairs, methods=methods, inside=inside)
    repeats = repeat_run(run, found, findings, judgements)
    return _report(run, found, verdicts, findings, judgements, merged, grouped, repeats)


def _report(
    run: ModelComparison,
    found: Discovered,
    verdicts: Verdicts,
    findings: tuple[Finding, ...],
    judgements: Sequence[Judgement],
    merged: Merging,
    grouped: BehaviourGroups,
    repeats: Repeats,
) -> Report:
    model_a, model_b = run.models
    checked, checks, judged = verdicts.agreement, verdicts.checks, verdicts.judged
    method_usage = [usage for discovery in found.discoveries for usage in discovery.usage]
    later_usage = usage_after_discovery(judged, checks, verdicts.rated, merged)
    usage: list[Usage] = [*run.answered.usage, *method_usage, *found.own.usage, *later_usage, *repeats.usage]
    return Report(
        model_a=model_a,
        model_b=model_b,
        others=run.helpers.infos,
        pairs=(*run.pairs, *found.own.pairs),
        findings=order_findings(findings, grouped.weights),
        judgements=Judgements.of(judgements),
        tables={
            **tables_of(run.helpers.methods, found.discoveries, checked, checks),
            **found.own.tables,
            **repeats.stability.tables,
        },
        left_out=left_out_of(run.answered, run.helpers.methods, found.discoveries, judged),
        notes=(
            *(*run.answered.notes, *run.options.notes, *notes_of(found.discoveries, judged)),
            *(*found.own.notes, *checked.notes, *checks.notes),
            *(*note_on_scopes(found.scopes, findings), *merged.notes, *repeats.stability.notes),
        ),
        usage=tuple(priced(each, run.options.prices) for each in usage),
        settings=run.options.stored_settings(),
        versions=versions(),
        merged=grouped.lines,
        coverage=cover(findings, grouped.lines, judgements, run.pairs),
    )
