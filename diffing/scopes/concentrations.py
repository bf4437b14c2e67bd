"""Tests on held-out prompts where differences live: scopes of confirmed findings, and hypotheses with their own scope.

For a confirmed finding without a scope the best rule is searched on train, and tested once on held-out. These tests are
a family of their own. The test given all verdicts (`exact_tests`) is independent of what confirmed the finding, so
testing scopes of confirmed findings alone costs no validity.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from diffing.estimates import Concentration
from diffing.metrics import benjamini_hochberg, concentrated
from diffing.scope import Scope
from diffing.scopes.conditions import Conditions
from diffing.scopes.exact_tests import p_differs
from diffing.scopes.rule_search import best_rules
from diffing.scopes.scoped_hypotheses import MeasuredScopes
from diffing.scopes.verdict_table import VerdictTable, verdict_table
from diffing.scopes.wording import scope_of
from diffing.types import Finding, Judgement, Measure, Pair, Side


def own_concentrations(scopes: MeasuredScopes, pairs: Sequence[Pair]) -> dict[str, Concentration]:
    """Tests the hypotheses with a measured scope of their own on held-out prompts, by hypothesis id.

    Args:
        scopes: The hypotheses, with their measurements outside the scopes too.
        pairs: All pairs of the run.
    """
    table = verdict_table(scopes.hypotheses, scopes.unscoped, [pair.prompt.id for pair in pairs])
    return {
        hypothesis.id: _tested(table, row, hypothesis.scope, scopes.conditions)
        for row, hypothesis in enumerate(scopes.hypotheses)
        if hypothesis.scope is not None
    }


def concentrations(
    findings: Sequence[Finding], judgements: Iterable[Judgement], pairs: Sequence[Pair], conditions: Conditions
) -> dict[str, Concentration]:
    """Finds and tests where confirmed findings are concentrated, by hypothesis id.

    Only confirmed findings without a scope are looked at; one without a rule that says enough is missing in the result.
    Benjamini-Hochberg runs over the rules that are tested here.

    Args:
        findings: Findings, confirmed and others.
        judgements: The verdicts on them, measured or judged.
        pairs: All pairs of the run.
        conditions: The conditions on their prompts, in the same order.
    """
    confirmed = [each.hypothesis for each in findings if each.confirmed and each.hypothesis.scope is None]
    table = verdict_table(confirmed, judgements, [pair.prompt.id for pair in pairs])
    rules = best_rules(table.at(conditions.train), conditions)
    tested = {
        hypothesis.id: _tested(table, row, scope_of(found.rule), conditions)
        for row, (hypothesis, found) in enumerate(zip(confirmed, rules, strict=True))
        if found is not None
    }
    qs = benjamini_hochberg([each.p for each in tested.values()])
    return {key: replace(each, q=q) for (key, each), q in zip(tested.items(), qs, strict=True)}


def _tested(table: VerdictTable, row: int, scope: Scope, conditions: Conditions) -> Concentration:
    """Tests one scope on the held-out prompts that have a readable verdict."""
    if scope.rule is None:
        raise ValueError(f"expected a measured scope, got {scope}")
    is_inside = conditions.inside(scope.rule)
    heldout = ~conditions.train
    inside, outside = is_inside & heldout, ~is_inside & heldout
    return Concentration(
        scope=scope,
        inside=table.metrics(row, inside),
        outside=table.metrics(row, outside),
        p_differs=p_differs(table.counts(row, inside), table.counts(row, heldout)),
    )


def fold_twins(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Makes a confirmed finding with a measured scope of its own the concentration of its confirmed overall twin.

    The twin is measured in the same way and predicts the same side over all prompts. Both are confirmed and speak of
    one difference, so the one with the scope is not listed beside its twin: its scope becomes the twin's concentration,
    with the q that confirmed it. If the twin has a confirmed concentration of its own with a q that is not larger, the
    twin keeps that one. The finding that is left out was tested with all others: it stays in their family, so every q
    is what it was.

    Args:
        findings: All findings of a run, with their concentrations.
    """
    scoped = {_twin_key(each): each for each in findings if _has_own_scope(each) and each.confirmed}
    twins = {
        _twin_key(each)
        for each in findings
        if each.confirmed and each.hypothesis.scope is None and each.hypothesis.measure is not None
    }
    kept: list[Finding] = []
    for each in findings:
        key = _twin_key(each)
        if _has_own_scope(each) and each.confirmed and key in twins:
            continue
        folded = scoped.get(key) if key in twins and each.confirmed and each.hypothesis.scope is None else None
        kept.append(each if folded is None else _with_scope_of(each, folded))
    return tuple(kept)


def _twin_key(finding: Finding) -> tuple[str, Measure | None, Side]:
    return finding.hypothesis.method, finding.hypothesis.measure, finding.hypothesis.direction


def _has_own_scope(finding: Finding) -> bool:
    return finding.hypothesis.scope is not None and finding.hypothesis.scope.kind == "measured"


def _with_scope_of(twin: Finding, scoped: Finding) -> Finding:
    """The twin with the better of two confirmed concentrations."""
    own = concentrated(twin)
    if scoped.concentration is None or scoped.heldout.q is None:
        return twin
    if own is not None and own.q is not None and own.q <= scoped.heldout.q:
        return twin
    return replace(twin, concentration=replace(scoped.concentration, q=scoped.heldout.q))
