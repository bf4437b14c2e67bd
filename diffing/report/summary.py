"""Condenses a report to the JSON that `diffing show --json` prints."""

import math
from dataclasses import fields

from diffing.estimates import Concentration, Coverage, Estimate, Metrics
from diffing.report.index import index_of
from diffing.report.run_pairs import pairs_of_run
from diffing.types import Finding, Level, Merged, Report


def report_summary(report: Report) -> dict[str, object]:
    """Returns strict JSON values for `diffing show --json`; an estimate is {value, low, high}, null if undefined."""
    index, pairs = index_of(report), pairs_of_run(report)
    confirmed = {"behaviours": index.differences, "wording": index.wording, "features": index.bare_features}
    return {
        "model_a": report.model_a.id,
        "model_b": report.model_b.id,
        "prompts": {split: sum(pair.prompt.split == split for pair in pairs) for split in ("train", "heldout")},
        # the confirmed lines of each block; those of behaviours are the report's differences
        "confirmed": {block: [entry.lead.hypothesis.id for entry in entries] for block, entries in confirmed.items()},
        "coverage": _coverage(report.coverage) if report.coverage else None,
        "findings": [_finding(finding) for finding in report.findings],
        "merged": [_line(entry) for entry in report.merged],
        "judge_checks": [
            {key: _finite(value) if isinstance(value, float) else value for key, value in row.items()}
            for row in report.tables.get("judge_checks", ())
        ],
        "asked": [
            {"question": each.asked.question, "judge": each.asked.judge, **_finding(each.finding)}
            for each in index.asked
        ],
        "notes": list(report.notes),
    }


def _finding(finding: Finding) -> dict[str, object]:
    hypothesis, concentration = finding.hypothesis, finding.concentration
    return {
        "id": hypothesis.id,
        "text": hypothesis.text,
        "method": hypothesis.method,
        "category": hypothesis.category,
        "direction": hypothesis.direction,
        "scope": hypothesis.scope.words if hypothesis.scope else None,
        "accepted": finding.accepted,
        "confirmed": finding.confirmed,
        "train": _metrics(finding.train),
        "heldout": _metrics(finding.heldout),
        "heldout_in_scope": _metrics(finding.heldout_in_scope) if finding.heldout_in_scope else None,
        "concentration": _concentration(concentration) if concentration else None,
        "levels": [_level(level) for level in finding.levels],
    }


def _line(entry: Merged) -> dict[str, object]:
    residuals = entry.residual or (None,) * len(entry.members)
    members = zip(entry.members, entry.known_by, entry.agreement, residuals, strict=True)
    return {
        "lead": entry.lead,
        "block": entry.block,
        "members": [
            {"id": member, "known_by": known_by, "agreement": _estimate(agreement), "residual": _finite(residual)}
            for member, known_by, agreement, residual in members
        ],
    }


def _concentration(concentration: Concentration) -> dict[str, object]:
    return {
        "scope": concentration.scope.words,
        "inside": _metrics(concentration.inside),
        "outside": _metrics(concentration.outside),
        "p_differs": _finite(concentration.p_differs),
        "q": _finite(concentration.q),
    }


def _level(level: Level) -> dict[str, object]:
    where: dict[str, object] = {"split": level.split, "place": level.place, "side": level.side, "kind": level.kind}
    return {**where, **_estimate(level.value), "n": level.value.n}


def _coverage(coverage: Coverage) -> dict[str, object]:
    values = {field.name: getattr(coverage, field.name) for field in fields(coverage)}
    return {
        name: {**_estimate(value), "n": value.n} if isinstance(value, Estimate) else _finite(value)
        for name, value in values.items()
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
