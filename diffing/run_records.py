"""Collects what a report holds besides findings: other models, tables, what was left out, notes, calls and tokens."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from diffing.grouping import MergingResult
from diffing.judge import JudgingResult
from diffing.judge.agreement import Agreement
from diffing.judge.audit import TABLE, JudgeChecks
from diffing.methods.base import Method
from diffing.models.base import Price
from diffing.ratings import RunRatings
from diffing.responses import PromptResponses
from diffing.scopes import MeasuredScopes
from diffing.types import Discovery, Finding, Judgement, Row, Usage


def tables_of(
    methods: Sequence[Method], discoveries: Sequence[Discovery], checked: Agreement, checks: JudgeChecks
) -> dict[str, tuple[Row, ...]]:
    """The tables of the methods, by `<method>_<table>`, and those of the judge's checks."""
    tables = {
        f"{method.name}_{name}": rows
        for method, discovery in zip(methods, discoveries, strict=True)
        for name, rows in discovery.tables.items()
    }
    judge_tables = {"judge_agreement": checked.rows, TABLE: checks.rows}
    return tables | {name: rows for name, rows in judge_tables.items() if rows}


def left_out_of(
    answered: PromptResponses,
    methods: Sequence[Method],
    discoveries: Sequence[Discovery],
    judged: JudgingResult | None,
) -> dict[str, Mapping[str, int]]:
    """Counts of what was left out, by stage and reason; stages that left out nothing are not named."""
    by_method = {method.name: discovery.left_out for method, discovery in zip(methods, discoveries, strict=True)}
    stages = {"responses": answered.left_out, **by_method, "judge": judged.left_out if judged else {}}
    return {stage: counts for stage, counts in stages.items() if counts}


def notes_of(discoveries: Sequence[Discovery], judged: JudgingResult | None) -> list[str]:
    """The notes of the methods, then those of the judge."""
    return [note for discovery in discoveries for note in discovery.notes] + (list(judged.notes) if judged else [])


def of_findings(judgements: Iterable[Judgement], findings: Sequence[Finding]) -> list[Judgement]:
    """The verdicts on the hypotheses that are among the findings: all but those folded into their overall twin."""
    kept = {finding.hypothesis.id for finding in findings}
    return [judgement for judgement in judgements if judgement.hypothesis_id in kept]


def note_on_scopes(scopes: MeasuredScopes, findings: Sequence[Finding]) -> list[str]:
    """Says how many hypotheses within a part of the prompts were tested, and how many are not listed themselves."""
    tested = len(scopes.hypotheses)
    if not tested:
        return []
    listed = {finding.hypothesis.id for finding in findings}
    folded = sum(hypothesis.id not in listed for hypothesis in scopes.hypotheses)
    differences = "1 difference" if tested == 1 else f"{tested} differences"
    note = f"Tested together with all others: {differences} within a part of the prompts, chosen on train prompts."
    if folded:
        note += f" {folded} of them {'is' if folded == 1 else 'are'} confirmed but not listed, since the same "
        note += f"{'difference is' if folded == 1 else 'differences are'} confirmed over all prompts too."
    return [note]


def judge_usage_of(judged: JudgingResult | None) -> list[Usage]:
    """Calls and tokens of the judge: for conditions, then for verdicts."""
    if judged is None:
        return []
    return [*([judged.scope_usage] if judged.scope_usage else []), judged.usage]


def usage_after_discovery(
    judged: JudgingResult | None, checks: JudgeChecks, rated: RunRatings | None, merged: MergingResult
) -> list[Usage]:
    """Calls and tokens of everything that comes after the methods."""
    judge_usage = [*judge_usage_of(judged), *checks.usage] if judged else []
    return [*judge_usage, *(rated.usage if rated else ()), *merged.usage]


def priced(usage: Usage, prices: Mapping[str, Price]) -> Usage:
    """The same usage with its cost, if the model's price is known."""
    price = prices.get(usage.model)
    if price is None:
        return usage
    return replace(usage, usd=price.of(usage.prompt_tokens, usage.completion_tokens))
