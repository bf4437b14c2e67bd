"""Converts scopes (the prompts a finding is about, or occurs on most) to cells of `findings.parquet` and back."""

import json
from collections.abc import Mapping
from typing import Any

from diffing.estimates import Concentration, Metrics
from diffing.report.json_types import read
from diffing.report.metrics_cells import check_estimate, check_p, counted, metrics_cells, metrics_from
from diffing.report.parquet import savable
from diffing.report.schema import TABLES
from diffing.scope import Scope, ScopeRule
from diffing.types import Scalar

_CONCENTRATION, _INSIDE, _OUTSIDE = "concentration", "concentration_inside", "concentration_outside"
_RULE, _P_DIFFERS, _Q = "concentration_rule", "concentration_p_differs", "concentration_q"
_COLUMNS = tuple(each.name for each in TABLES["findings"].columns if each.name.startswith(_CONCENTRATION))
_MOST_DOMAINS = 3
_LONGEST_RULE = 100_000
"""The longest text of a rule in characters; the names of domains are in it, which come from users' files."""


def scope_cells(scope: Scope | None) -> dict[str, Scalar]:
    """Converts the scope of a hypothesis to cells."""
    return {
        "scope_kind": scope.kind if scope else None,
        "scope": scope.words if scope else None,
        "scope_rule": _rule_text(scope.rule) if scope else None,
    }


def scope_from(kind: str | None, words: str | None, rule: str | None) -> Scope | None:
    """Converts cells back to a scope.

    Args:
        kind: The kind of the scope.
        words: The condition in words.
        rule: The rule as JSON, for a measured scope.

    Raises:
        ValueError: No scope is like that.
    """
    if kind is None and words is None and rule is None:
        return None
    if words is None or (kind, rule is None) not in (("stated", True), ("measured", False)):
        without = " without a rule" if kind == "measured" else ""
        raise ValueError(f"there is no scope {kind!r:.40} of {words!r:.60}{' with a rule' if rule else without}")
    return Scope("stated", words) if rule is None else Scope("measured", words, _rule_from(rule))


def concentration_cells(concentration: Concentration | None) -> dict[str, Scalar]:
    """Converts the scope in which a finding is concentrated to cells."""
    if concentration is None:
        return dict.fromkeys(_COLUMNS)
    return {
        _CONCENTRATION: concentration.scope.words,
        _RULE: _rule_text(concentration.scope.rule),
        **metrics_cells(_INSIDE, concentration.inside),
        **metrics_cells(_OUTSIDE, concentration.outside),
        _P_DIFFERS: concentration.p_differs,
        _Q: concentration.q,
    }


def concentration_from(row: Mapping[str, Any], heldout: int) -> Concentration | None:
    """Converts cells back to the scope in which a finding is concentrated.

    Args:
        row: The row of the finding.
        heldout: The number of the report's held-out prompts.

    Raises:
        ValueError: A value is missing or not allowed, or the counts contradict each other.
    """
    if all(row[name] is None for name in _COLUMNS):
        return None
    words, rule, p_differs = (row[name] for name in (_CONCENTRATION, _RULE, _P_DIFFERS))
    inside, outside = counted(row, _INSIDE), counted(row, _OUTSIDE)
    if None in (words, rule, p_differs) or inside is None or outside is None:
        raise ValueError("the scope in which it is concentrated is not complete")
    if inside + outside > heldout:
        raise ValueError(f"expected at most {heldout} verdicts inside and outside its scope, got {inside + outside}")
    check_p(_P_DIFFERS, p_differs)
    check_p(_Q, row[_Q])
    return Concentration(
        scope=Scope("measured", words, _rule_from(rule)),
        inside=_checked(metrics_from(row, _INSIDE), heldout),
        outside=_checked(metrics_from(row, _OUTSIDE), heldout),
        p_differs=p_differs,
        q=row[_Q],
    )


def _checked(metrics: Metrics, heldout: int) -> Metrics:
    check_estimate("frequency", metrics.frequency, heldout, (0, 1))
    check_estimate("accuracy", metrics.accuracy, heldout, (0, 1))
    check_estimate("net_difference", metrics.net_difference, heldout, (-1, 1))
    check_p("p", metrics.p)
    return metrics


def _rule_text(rule: ScopeRule | None) -> str | None:
    if rule is None:
        return None
    terms = [{"kind": term.kind, "value": savable(term.value)} for term in rule.terms]
    return json.dumps({"terms": terms, "junction": rule.junction}, ensure_ascii=False)


def _rule_from(text: str) -> ScopeRule:
    if len(text) > _LONGEST_RULE:
        raise ValueError(f"expected a rule of at most {_LONGEST_RULE:,} characters, got {len(text):,}")
    try:
        rule: ScopeRule = read(ScopeRule, json.loads(text))
    except RecursionError:
        raise ValueError(f"expected a rule, got {text!r:.60}") from None
    except ValueError as error:
        raise ValueError(f"expected a rule, got {text!r:.60}: {error}") from None
    domains = rule.junction == "or" and all(term.kind == "domain" for term in rule.terms)
    if not 1 <= len(rule.terms) <= (_MOST_DOMAINS if domains else 2):
        raise ValueError(f"expected one or two terms, or up to {_MOST_DOMAINS} domains, got {text!r:.60}")
    if (len(rule.terms) == 1) != (rule.junction is None) or not all(term.value for term in rule.terms):
        raise ValueError(f"expected terms with values and a junction between them, got {text!r:.60}")
    return rule
