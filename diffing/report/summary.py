"""Condenses a report to the JSON that `diffing show --json` prints."""

import math

from diffing.estimates import Estimate, Metrics
from diffing.types import Report


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
