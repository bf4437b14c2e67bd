"""Tests on held-out prompts whether differences are concentrated in their scopes, found or stated.

For a confirmed finding without a scope the best rule is searched on train, and tested once on held-out. These tests are
a family of their own. The test given all verdicts (`exact_tests`) is independent of what confirmed the finding, so
testing scopes of confirmed findings alone costs no validity.
"""

from collections.abc import Iterable, Sequence, Set
from dataclasses import replace
from typing import TypeAlias

from diffing.estimates import Concentration
from diffing.metrics import benjamini_hochberg
from diffing.scope import Scope
from diffing.scopes.conditions import PromptConditions
from diffing.scopes.exact_tests import p_differs
from diffing.scopes.rule_search import best_rules
from diffing.scopes.scoped_hypotheses import MeasuredScopes
from diffing.scopes.verdict_table import VerdictTable, verdict_table
from diffing.scopes.wording import scope_of
from diffing.types import Finding, Hypothesis, Judgement, Measure, Pair, Side


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


def with_concentrations(
    findings: Sequence[Finding], judgements: Iterable[Judgement], pairs: Sequence[Pair], conditions: PromptConditions
) -> tuple[Finding, ...]:
    """Finds and tests where confirmed findings without a scope are concentrated.

    For each of them the best rule on train is tested. A confirmed finding with a measured scope of its own may have a
    confirmed overall twin, which is measured in the same way and predicts the same side over all prompts. The two are
    one difference, so the one with the scope is not listed beside its twin: its scope is another one that is tested
    for the twin. Benjamini-Hochberg runs over all scopes tested here, and each finding gets the one with the smallest
    q, confirmed or not. What is not listed was tested with all other hypotheses and stays in their family, so that
    their q is what it was.

    Args:
        findings: All findings of a run, with the concentrations of those that have a scope of their own.
        judgements: The verdicts on them, measured or judged.
        pairs: All pairs of the run.
        conditions: The conditions on their prompts, in the same order.
    """
    overall = [each for each in findings if each.confirmed and each.hypothesis.scope is None]
    found = _of_best_rules([each.hypothesis for each in overall], judgements, pairs, conditions)
    twins = {_twin_key(each) for each in overall}
    folded = {_twin_key(each): each.concentration for each in findings if _is_folded(each, twins)}
    tested = [
        (each.hypothesis.id, place)
        for each, best in zip(overall, found, strict=True)
        for place in _distinct(best, folded.get(_twin_key(each)))
    ]
    qs = benjamini_hochberg([place.p for _, place in tested])
    chosen: dict[str, Concentration] = {}
    for (key, place), q in sorted(zip(tested, qs, strict=True), key=lambda one: -one[1]):
        chosen[key] = replace(place, q=q)
    return tuple(
        replace(each, concentration=chosen.get(each.hypothesis.id, each.concentration))
        for each in findings
        if not _is_folded(each, twins)
    )


def _of_best_rules(
    hypotheses: Sequence[Hypothesis],
    judgements: Iterable[Judgement],
    pairs: Sequence[Pair],
    conditions: PromptConditions,
) -> list[Concentration | None]:
    """The best rule of each hypothesis on train, tested on held-out; None if no rule says enough."""
    table = verdict_table(hypotheses, judgements, [pair.prompt.id for pair in pairs])
    rules = best_rules(table.at(conditions.train), conditions)
    return [
        None if found is None else _tested(table, row, scope_of(found.rule), conditions)
        for row, found in enumerate(rules)
    ]


def _distinct(*places: Concentration | None) -> list[Concentration]:
    """The concentrations that there are, each scope once."""
    return list({place.scope: place for place in reversed(places) if place is not None}.values())[::-1]


_TwinKey: TypeAlias = tuple[str, Measure | str, Side]


def _twin_key(finding: Finding) -> _TwinKey:
    own = finding.hypothesis
    return own.method, own.measure or own.id, own.direction


def _is_folded(finding: Finding, twins: Set[_TwinKey]) -> bool:
    """Whether a confirmed finding has a measured scope of its own and a confirmed twin without one."""
    scope = finding.hypothesis.scope
    measured = scope is not None and scope.kind == "measured"
    return finding.confirmed and measured and _twin_key(finding) in twins


def _tested(table: VerdictTable, row: int, scope: Scope, conditions: PromptConditions) -> Concentration:
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
