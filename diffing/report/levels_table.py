"""Converts levels, how much each model shows of what a finding is about, to rows of `levels.parquet` and back."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from diffing.estimates import Estimate
from diffing.report.metrics_cells import check_estimate
from diffing.types import SIDES, Finding, Level, LevelKind, Place, Report, Scalar, Split

_ALLOWED = {"split": get_args(Split), "place": get_args(Place), "side": SIDES, "kind": get_args(LevelKind)}
_LARGEST = 1e15
"""The largest median that is read; nothing that is counted in a response comes near it."""


def level_rows(report: Report) -> Iterator[tuple[Scalar, ...]]:
    """Yields one row for each level of each finding."""
    for finding in report.findings:
        for level in finding.levels:
            e = level.value
            place = level.split, level.place, level.side, level.kind
            yield finding.hypothesis.id, *place, e.value, e.low, e.high, e.n


def levels_from(
    rows: Sequence[Mapping[str, Any]], findings: Mapping[str, Finding], prompts: Mapping[Split, int]
) -> dict[str, tuple[Level, ...]]:
    """Converts rows back to the levels of each finding.

    Args:
        rows: The rows of the table of levels; their types are those of the schema.
        findings: The findings by hypothesis id, without levels.
        prompts: The number of the report's prompts in each split.

    Returns:
        The levels by hypothesis id, in the order of the rows.

    Raises:
        ValueError: A value is not allowed in its column, a level is given twice, or belongs to no finding or scope.
    """
    levels: dict[str, list[Level]] = {}
    for row in rows:
        finding = findings.get(row["hypothesis_id"])
        if finding is None:
            raise ValueError(f"levels: there is no hypothesis_id {row['hypothesis_id']!r:.60}")
        levels.setdefault(row["hypothesis_id"], []).append(_level(row, finding, prompts))
    for key, each in levels.items():
        if len({(level.split, level.place, level.side) for level in each}) < len(each):
            raise ValueError(f"levels: {key!r:.60} has two levels for one split, place and side")
    return {key: tuple(each) for key, each in levels.items()}


def _level(row: Mapping[str, Any], finding: Finding, prompts: Mapping[Split, int]) -> Level:
    for name, allowed in _ALLOWED.items():
        if row[name] not in allowed:
            raise ValueError(f"levels: there is no {name} {row[name]!r:.60}")
    if row["place"] != "all" and finding.hypothesis.scope is None and finding.concentration is None:
        raise ValueError(f"levels: {row['hypothesis_id']!r:.60} has no scope to be {row['place']} of")
    value = Estimate(row["value"], row["value_low"], row["value_high"], row["n"])
    highest = _LARGEST if row["kind"] == "median" else 1
    check_estimate(f"levels: {row['hypothesis_id']!r:.60}", value, prompts[row["split"]], (0, highest))
    return Level(row["split"], row["place"], row["side"], row["kind"], value)
