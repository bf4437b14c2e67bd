"""Finds and tests hypotheses on the responses of both models, and makes the report.

It is apart from `diff_models`, because importing all that it needs takes longer than to see that nothing has changed.
"""

from collections.abc import Sequence
from dataclasses import replace

from diffing.coverage import cover
from diffing.evaluation import findings_of
from diffing.fresh_prompts import AnswerSampling, own_prompts
from diffing.grouping import BehaviourGroups, MergingResult, group_by_behaviour, merge
from diffing.judgements import Judgements
from diffing.levels import measured_values, with_levels
from diffing.pipeline.method_discoveries import RunDiscoveries, discover, with_heldout_records
from diffing.pipeline.model_comparison import ModelComparison
from diffing.pipeline.repeats import SeedRepeats, repeat_run
from diffing.pipeline.run_verdicts import Verdicts, verdicts_on
from diffing.ranking import order_findings
from diffing.run_records import (
    left_out_of,
    note_on_scopes,
    notes_of,
    of_findings,
    priced,
    tables_of,
    usage_after_discovery,
)
from diffing.types import Finding, Judgement, OnHypotheses, Report, Usage
from diffing.versions import versions


def tested(run: ModelComparison, on_hypotheses: OnHypotheses) -> Report:
    """Finds hypotheses, tests them by their verdicts, groups the findings and makes the report.

    Args:
        run: The responses of both models, and what takes part besides them.
        on_hypotheses: Called with the hypotheses of each method before they are tested.
    """
    helpers = run.helpers
    found = discover(run, on_hypotheses)
    answers = AnswerSampling(run.options.sampling, (run.options.sample_a, run.options.sample_b))
    own = own_prompts(helpers.methods, found.discoveries, run.pairs, answers, helpers.judge, run.on_progress)
    found = replace(found, own=own)
    return _tested(run, found, verdicts_on(run, found))


def _tested(run: ModelComparison, found: RunDiscoveries, verdicts: Verdicts) -> Report:
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
    grouped = group_by_behaviour(
        merged.entries, findings, judgements, pairs, methods=methods, inside=inside, applies=found.own.applies
    )
    repeats = repeat_run(run, found, findings, judgements)
    return _report(run, found, verdicts, findings, judgements, merged, grouped, repeats)


def _report(
    run: ModelComparison,
    found: RunDiscoveries,
    verdicts: Verdicts,
    findings: tuple[Finding, ...],
    judgements: Sequence[Judgement],
    merged: MergingResult,
    grouped: BehaviourGroups,
    repeats: SeedRepeats,
) -> Report:
    model_a, model_b = run.models
    checked, checks, judged = verdicts.agreement, verdicts.checks, verdicts.judged
    method_usage = [usage for discovery in found.discoveries for usage in discovery.usage]
    later_usage = usage_after_discovery(judged, checks, verdicts.rated, merged)
    amplified = run.amplified.usage if run.amplified else ()
    answered: list[Usage] = [*amplified, *run.answered.usage]
    usage = [*answered, *method_usage, *found.own.usage, *later_usage, *repeats.usage]
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
            *_notes_on_amplified(run, found, findings),
            *(*note_on_scopes(found.scopes, findings), *merged.notes, *repeats.stability.notes),
        ),
        usage=tuple(priced(each, run.options.prices) for each in usage),
        settings=run.options.stored_settings(),
        versions=versions(),
        merged=grouped.lines,
        coverage=cover(findings, grouped.lines, judgements, run.pairs),
    )


def _notes_on_amplified(run: ModelComparison, found: RunDiscoveries, findings: Sequence[Finding]) -> tuple[str, ...]:
    """What came of amplified answers; a difference within a part of the prompts belongs to nobody's suggestion."""
    if run.amplified is None:
        return ()
    suggested = found.by_amplified
    confirmed = sum(finding.confirmed and finding.hypothesis.id in suggested for finding in findings)
    return (run.amplified.note(len(suggested), confirmed),)
