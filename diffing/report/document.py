"""`report.json`: all of a report but pairs, verdicts, evidence and the methods' tables. Knows no file."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, cast

from diffing.report.schema import SCHEMA_VERSION
from diffing.report.tables import savable, scalar_from_json, scalar_to_json
from diffing.types import (
    Estimate,
    Evidence,
    Finding,
    Hypothesis,
    Merged,
    Metrics,
    ModelInfo,
    Rating,
    Report,
    Scalar,
    Usage,
)

_ESTIMATES = ("frequency", "accuracy", "net_difference")


def to_document(report: Report, files: Mapping[str, str]) -> dict[str, object]:
    """The document as strict JSON values.

    Args:
        report: What to tell of.
        files: SHA-256 per parquet file.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "model_a": _model_to_json(report.model_a),
        "model_b": _model_to_json(report.model_b),
        "others": [_model_to_json(model) for model in report.others],
        "findings": [_finding_to_json(finding) for finding in report.findings],
        "merged": [_jsonable(asdict(entry)) for entry in report.merged],
        "left_out": _jsonable(report.left_out),
        "notes": _jsonable(report.notes),
        "usage": [_jsonable(asdict(usage)) for usage in report.usage],
        "settings": _jsonable(report.settings),
        "versions": _jsonable(report.versions),
        "tables": list(report.tables),
        "files": dict(files),
    }


def models_of(document: Mapping[str, Any]) -> tuple[ModelInfo, ModelInfo, tuple[ModelInfo, ...]]:
    """Model A, model B and the others."""
    others = tuple(_model(model) for model in document["others"])
    return _model(document["model_a"]), _model(document["model_b"]), others


def findings_of(document: Mapping[str, Any], evidence: Mapping[str, tuple[Evidence, ...]]) -> tuple[Finding, ...]:
    """The findings, in their order.

    Args:
        document: From `to_document`.
        evidence: Per hypothesis id, its passages.
    """
    return tuple(
        Finding(
            hypothesis=Hypothesis(
                **_scalars(finding["hypothesis"]), evidence=evidence.get(finding["hypothesis"]["id"], ())
            ),
            train=_metrics(finding["train"]),
            heldout=_metrics(finding["heldout"]),
            accepted=finding["accepted"],
            confirmed=finding["confirmed"],
            rating=None if finding["rating"] is None else _rating(finding["rating"]),
        )
        for finding in document["findings"]
    )


def merged_of(document: Mapping[str, Any]) -> tuple[Merged, ...]:
    """The merged list; documents of schema version 1 have none.

    Raises:
        ValueError: It does not hold every finding exactly once.
    """
    merged = tuple(
        Merged(
            lead=entry["lead"],
            members=tuple(entry["members"]),
            known_by=tuple(entry["known_by"]),
            agreement=tuple(_estimate(estimate) for estimate in entry["agreement"]),
        )
        for entry in document.get("merged", ())
    )
    told = sorted(member for entry in merged for member in entry.members)
    findings = sorted(finding["hypothesis"]["id"] for finding in document["findings"])
    whole = all(
        entry.members[:1] == (entry.lead,) and len(entry.members) == len(entry.known_by) == len(entry.agreement)
        for entry in merged
    )
    if merged and not (whole and told == findings):
        raise ValueError("the merged list does not hold every finding once")
    return merged


def usage_of(document: Mapping[str, Any]) -> tuple[Usage, ...]:
    """Calls, tokens and cost per stage."""
    return tuple(Usage(**_scalars(usage)) for usage in document["usage"])


def settings_of(document: Mapping[str, Any]) -> dict[str, Scalar]:
    """Every setting that decided the result."""
    return {key: scalar_from_json(value) for key, value in document["settings"].items()}


def _finding_to_json(finding: Finding) -> dict[str, object]:
    hypothesis = finding.hypothesis
    own = {f.name: getattr(hypothesis, f.name) for f in fields(hypothesis) if f.name != "evidence"}
    return {
        "hypothesis": _jsonable(own),
        "train": _jsonable(asdict(finding.train)),
        "heldout": _jsonable(asdict(finding.heldout)),
        "accepted": finding.accepted,
        "confirmed": finding.confirmed,
        "rating": None if finding.rating is None else _jsonable(asdict(finding.rating)),
    }


def _model_to_json(model: ModelInfo) -> dict[str, object]:
    return {"id": savable(model.id), "role": savable(model.role), "settings": _jsonable(model.settings)}


def _jsonable(value: object) -> object:
    if isinstance(value, Mapping):
        return {savable(key): _jsonable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(inner) for inner in value]
    return scalar_to_json(cast(Scalar, value))


def _model(value: Mapping[str, Any]) -> ModelInfo:
    return ModelInfo(id=value["id"], role=value["role"], settings=settings_of(value))


def _metrics(value: Mapping[str, Any]) -> Metrics:
    estimates: dict[str, Any] = {name: _estimate(value[name]) for name in _ESTIMATES}
    return Metrics(**_scalars({key: inner for key, inner in value.items() if key not in _ESTIMATES}), **estimates)


def _rating(value: Mapping[str, Any]) -> Rating:
    return Rating(
        interestingness=_estimate(value["interestingness"]),
        abstraction=_estimate(value["abstraction"]),
        replies=tuple(
            (rater, interestingness, abstraction) for rater, interestingness, abstraction in value["replies"]
        ),
    )


def _estimate(value: Mapping[str, Any]) -> Estimate:
    return Estimate(**_scalars(value))


def _scalars(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: scalar_from_json(inner) for key, inner in value.items()}
