"""`report.json`: all of a report but pairs, verdicts, evidence and the methods' tables. Knows no file."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import cast

from diffing.report.schema import SCHEMA_VERSION
from diffing.report.tables import savable, scalar_to_json
from diffing.report.typed import read
from diffing.types import Finding, Merged, ModelInfo, Report, Scalar, Usage


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


@dataclass(frozen=True, slots=True)
class Document:
    """What `report.json` says, checked field by field."""

    model_a: ModelInfo
    """The first model."""
    model_b: ModelInfo
    """The second model."""
    others: tuple[ModelInfo, ...]
    """Differ, judge, raters."""
    findings: tuple[Finding, ...]
    """In their order, without evidence."""
    left_out: Mapping[str, Mapping[str, int]]
    """Per stage, by reason."""
    notes: tuple[str, ...]
    """Plain sentences."""
    usage: tuple[Usage, ...]
    """Per stage and model."""
    settings: Mapping[str, Scalar]
    """Every setting that decided the result."""
    versions: Mapping[str, str]
    """Of the package and libraries."""
    tables: tuple[str, ...]
    """Names of the methods' own tables."""
    files: Mapping[str, str]
    """SHA-256 per parquet file."""
    schema_version: int
    """Of the folder."""
    merged: tuple[Merged, ...] = ()
    """The merged list; documents of schema version 1 have none."""


def read_document(value: object) -> Document:
    """A document from JSON.

    Raises:
        ValueError: It is no report's; the message says where in it.
    """
    document: Document = read(Document, value)
    ids = [finding.hypothesis.id for finding in document.findings]
    if len(set(ids)) < len(ids):
        raise ValueError("findings: two have the same id")
    _check_merged(document.merged, ids)
    return document


def settings_of(value: object) -> dict[str, Scalar]:
    """The settings in a document, whatever else it holds.

    Raises:
        ValueError: It holds none.
    """
    if not isinstance(value, dict) or "settings" not in value:
        raise ValueError("settings is missing")
    settings: dict[str, Scalar] = read(Mapping[str, Scalar], value["settings"])
    return settings


def _check_merged(merged: tuple[Merged, ...], findings: list[str]) -> None:
    told = sorted(member for entry in merged for member in entry.members)
    whole = all(
        entry.members[:1] == (entry.lead,) and len(entry.members) == len(entry.known_by) == len(entry.agreement)
        for entry in merged
    )
    if merged and not (whole and told == sorted(findings)):
        raise ValueError("the merged list does not hold every finding once")


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
