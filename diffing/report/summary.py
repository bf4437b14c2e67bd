"""Orders a report's findings, and condenses a report to the JSON that `diffing show --json` prints."""

import math
from collections.abc import Iterable

from diffing.estimates import Estimate, Metrics
from diffing.types import Finding, Report

MEAN_INTEREST = 3.0
"""The rating of interestingness at which a finding's place depends on its size alone: the middle of the scale."""


def order_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sorts findings into the order in which reports list them.

    1. Confirmed findings, by net difference on held-out prompts times interestingness / 3. A finding without a rating
       counts as one of 3, the middle of the scale.
    2. Findings that were tested and not confirmed, by size of the net difference on held-out prompts.
    3. Findings that were not tested, by net difference on train prompts; undefined ones last.

    Findings with equal places are sorted by id.
    """
    return tuple(sorted(findings, key=_place))


def _place(finding: Finding) -> tuple[int, float, str]:
    net = _finite(finding.heldout.net_difference.value)
    if net is not None and finding.confirmed:
        rank, strength = 0, abs(net) * _interest(finding) / MEAN_INTEREST
    elif net is not None:
        rank, strength = 1, abs(net)
    else:
        on_train = _finite(finding.train.net_difference.value)
        effect = _finite(finding.hypothesis.train_effect) if on_train is None else on_train
        rank, strength = (2, effect) if effect is not None else (3, 0.0)
    return rank, -strength, finding.hypothesis.id


def _interest(finding: Finding) -> float:
    rated = _finite(finding.rating.interestingness.value) if finding.rating else None
    return MEAN_INTEREST if rated is None else rated


def report_summary(report: Report) -> dict[str, object]:
    """Returns strict JSON values for `diffing show --json`; an estimate is {value, low, high}, null if undefined."""
    return {
        "model_a": report.model_a.id,
        "model_b": report.model_b.id,
        "prompts": {split: sum(pair.prompt.split == split for pair in report.pairs) for split in ("train", "heldout")},
        "findings": [
            {
                "id": finding.hypothesis.id,
                "text": finding.hypothesis.text,
                "method": finding.hypothesis.method,
                "category": finding.hypothesis.category,
                "direction": finding.hypothesis.direction,
                "scope": finding.hypothesis.scope.words if finding.hypothesis.scope else None,
                "accepted": finding.accepted,
                "confirmed": finding.confirmed,
                "train": _metrics(finding.train),
                "heldout": _metrics(finding.heldout),
                "heldout_in_scope": _metrics(finding.heldout_in_scope) if finding.heldout_in_scope else None,
            }
            for finding in report.findings
        ],
        "merged": [
            {
                "lead": entry.lead,
                "members": [
                    {"id": member, "known_by": known_by, "agreement": _estimate(agreement)}
                    for member, known_by, agreement in zip(entry.members, entry.known_by, entry.agreement, strict=True)
                ],
            }
            for entry in report.merged
        ],
        "judge_checks": [
            {key: _finite(value) if isinstance(value, float) else value for key, value in row.items()}
            for row in report.tables.get("judge_checks", ())
        ],
        "notes": list(report.notes),
    }


def _metrics(metrics: Metrics) -> dict[str, object]:
    return {
        "n": metrics.n,
        "k_for": metrics.k_for,
        "k_against": metrics.k_against,
        "accuracy": _estimate(metrics.accuracy),
        "frequency": _estimate(metrics.frequency),
        "net_difference": _estimate(metrics.net_difference),
        "p": _finite(metrics.p),
        "q": _finite(metrics.q),
    }


def _estimate(estimate: Estimate) -> dict[str, float | None]:
    return {"value": _finite(estimate.value), "low": _finite(estimate.low), "high": _finite(estimate.high)}


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None
