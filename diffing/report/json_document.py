"""Converts between a `Report` and the JSON of `report.json`, which holds everything that is not in a parquet table."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import cast

from diffing.estimates import Coverage, Estimate
from diffing.report.json_types import read
from diffing.report.metrics_cells import check_estimate, check_p
from diffing.report.parquet import savable, scalar_to_json
from diffing.report.schema import SCHEMA_VERSION
from diffing.types import Merged, ModelInfo, Report, Scalar, Usage


def to_document(report: Report, files: Mapping[str, str]) -> dict[str, object]:
    """Converts a report to the values of `report.json`, all of which strict JSON can hold.

    Args:
        report: The report.
        files: The SHA-256 digest of each parquet file, by file name.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "model_a": _model_to_json(report.model_a),
        "model_b": _model_to_json(report.model_b),
        "others": [_model_to_json(model) for model in report.others],
        "merged": [_jsonable(asdict(entry)) for entry in report.merged],
        "coverage": _jsonable(asdict(report.coverage)) if report.coverage else None,
        "left_out": _jsonable(report.left_out),
        "notes": _jsonable(report.notes),
        "usage": [_jsonable(asdict(usage)) for usage in report.usage],
        "settings": _jsonable(report.settings),
        "versions": _jsonable(report.versions),
        "tables": list(report.tables),
        "files": dict(files),
    }


@dataclass(frozen=True, slots=True)
class ReportDocument:
    """The contents of `report.json`, each field checked."""

    model_a: ModelInfo
    """The first model."""
    model_b: ModelInfo
    """The second model."""
    others: tuple[ModelInfo, ...]
    """The other models of the run: the LLM that describes differences, the judge, the raters."""
    left_out: Mapping[str, Mapping[str, int]]
    """For each stage, how many items were left out for each reason."""
    notes: tuple[str, ...]
    """Warnings and remarks for the reader, in full sentences."""
    usage: tuple[Usage, ...]
    """Calls and tokens per stage and model."""
    settings: Mapping[str, Scalar]
    """Every setting that affected the result."""
    versions: Mapping[str, str]
    """Versions of this package and of the libraries that it used."""
    tables: tuple[str, ...]
    """Names of the methods' own tables."""
    files: Mapping[str, str]
    """The SHA-256 digest of each parquet file, by file name."""
    schema_version: int
    """The schema version of the folder."""
    merged: tuple[Merged, ...] = ()
    """The grouped list of findings; documents of schema version 1 have none."""
    coverage: Coverage | None = None
    """How much of what tells the models apart the findings explain; documents before schema version 5 have none."""


def read_document(value: object) -> ReportDocument:
    """Checks parsed JSON and turns it into a document.

    Raises:
        ValueError: The JSON is not a report's document; the message names the place.
    """
    document: ReportDocument = read(ReportDocument, value)
    return document


def check_coverage(coverage: Coverage | None, heldout: int) -> None:
    """Checks that a coverage that was read can be one.

    Args:
        coverage: The coverage; None is allowed.
        heldout: The number of the report's held-out prompts.

    Raises:
        ValueError: A number is not finite or out of its bounds; the message names the place.
    """
    if coverage is None:
        return
    for field in fields(coverage):
        value = getattr(coverage, field.name)
        if isinstance(value, Estimate):
            bounds = (-math.inf, math.inf) if field.name.startswith("explained") else (0.0, 1.0)
            check_estimate(f"coverage: {field.name}", value, heldout, bounds)
    check_p("coverage: p", coverage.p)


def read_settings(value: object) -> dict[str, Scalar]:
    """Reads the settings from a document and ignores everything else in it.

    Raises:
        ValueError: The document has no settings.
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
