"""`report.json`: all of a report that is in no table. Knows no file."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import cast

from diffing.report.json_types import read
from diffing.report.parquet import savable, scalar_to_json
from diffing.report.schema import SCHEMA_VERSION
from diffing.types import Merged, ModelInfo, Report, Scalar, Usage


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


def _model_to_json(model: ModelInfo) -> dict[str, object]:
    return {"id": savable(model.id), "role": savable(model.role), "settings": _jsonable(model.settings)}


def _jsonable(value: object) -> object:
    if isinstance(value, Mapping):
        return {savable(key): _jsonable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(inner) for inner in value]
    return scalar_to_json(cast(Scalar, value))
