"""Converts findings to the rows of `findings.parquet`, `ratings.parquet` and `evidence.parquet`, and rows back."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args

from diffing.estimates import Concentration, Estimate, Metrics
from diffing.report.measure_cells import measure_cells, measure_from
from diffing.report.metrics_cells import counted, metrics_cells, metrics_from
from diffing.report.schema import TABLES
from diffing.report.scope_cells import concentration_cells, concentration_from, scope_cells, scope_from
from diffing.scope import Scope
from diffing.types import (
    SIDES,
    Category,
    Evidence,
    Finding,
    Hypothesis,
    Rating,
    Report,
    Row,
    Scalar,
)

_IN_SCOPE = "heldout_in_scope"
_IN_SCOPE_COLUMNS = tuple(each.name for each in TABLES["findings"].columns if each.name.startswith(f"{_IN_SCOPE}_"))


def finding_row(finding: Finding) -> Row:
    """Converts one finding to a flat row, its columns in the order of the schema.

    Args:
        finding: The finding.
    """
    h, rating = finding.hypothesis, finding.rating
    kind, measured = measure_cells(h.measure)
    in_scope = finding.heldout_in_scope
    return {
        "id": h.id,
        "text": h.text,
        "direction": h.direction,
        "method": h.method,
        "category": h.category,
        "measure": kind,
        "measured": measured,
        "train_effect": h.train_effect,
        "speaks_of": h.speaks_of,
        **scope_cells(h.scope),
        "accepted": finding.accepted,
        "confirmed": finding.confirmed,
        **_rating_cells("interestingness", rating.interestingness if rating else None),
        **_rating_cells("abstraction", rating.abstraction if rating else None),
        **metrics_cells("train", finding.train),
        **metrics_cells("heldout", finding.heldout),
        "heldout_q": finding.heldout.q,
        **(metrics_cells(_IN_SCOPE, in_scope) if in_scope else dict.fromkeys(_IN_SCOPE_COLUMNS)),
        **concentration_cells(finding.concentration),
    }


def evidence_rows(report: Report) -> Iterator[tuple[Scalar, ...]]:
    """Yields one row for each passage that is evidence for a hypothesis."""
    for finding in report.findings:
        for each in finding.hypothesis.evidence:
            yield finding.hypothesis.id, each.prompt_id, each.side, each.quote


def rating_rows(report: Report) -> Iterator[tuple[Scalar, ...]]:
    """The rows of the table of ratings, one per finding and rater."""
    for finding in report.findings:
        for reply in finding.rating.replies if finding.rating else ():
            yield finding.hypothesis.id, *reply


def findings_from(
    rows: Sequence[Mapping[str, Any]],
    ratings: Sequence[Mapping[str, Any]],
    evidence: Mapping[str, Sequence[Evidence]],
    heldout: int,
) -> tuple[Finding, ...]:
    """Converts rows back to findings.

    Args:
        rows: The rows of the findings table; their types are those of the schema.
        ratings: The rows of the ratings table.
        evidence: The evidence passages by hypothesis id.
        heldout: The number of the report's held-out prompts, which bounds the number of verdicts in a scope.

    Raises:
        ValueError: A value is not allowed in its column, an id occurs twice, or a rating belongs to no finding.
    """
    ids = {row["id"] for row in rows}
    if len(ids) < len(rows):
        raise ValueError("findings: two have the same id")
    replies: dict[str, list[tuple[str, int | None, int | None]]] = {}
    for row in ratings:
        if row["hypothesis_id"] not in ids:
            raise ValueError(f"ratings: there is no hypothesis_id {row['hypothesis_id']!r:.60}")
        reply = row["rater"], row["interestingness"], row["abstraction"]
        replies.setdefault(row["hypothesis_id"], []).append(reply)
    return tuple(
        replace(
            _finding(row, tuple(replies.get(row["id"], ())), evidence.get(row["id"], ())),
            heldout_in_scope=_in_scope_from(row, heldout),
            concentration=_concentration_from(row, heldout),
        )
        for row in rows
    )


def _finding(row: Mapping[str, Any], replies: tuple[Any, ...], evidence: Sequence[Evidence]) -> Finding:
    for name, allowed in (("direction", SIDES), ("category", get_args(Category))):
        if row[name] not in allowed:
            raise ValueError(f"findings: there is no {name} {row[name]!r:.60}")
    hypothesis = Hypothesis(
        **{name: row[name] for name in ("id", "text", "direction", "method", "category", "train_effect", "speaks_of")},
        evidence=tuple(evidence),
        measure=measure_from(row["measure"], row["measured"]),
        scope=_scope_from(row),
    )
    return Finding(
        hypothesis=hypothesis,
        train=metrics_from(row, "train"),
        heldout=metrics_from(row, "heldout", row["heldout_q"]),
        accepted=row["accepted"],
        confirmed=row["confirmed"],
        rating=_rating_from(row, replies),
    )


def _scope_from(row: Mapping[str, Any]) -> Scope | None:
    try:
        return scope_from(row["scope_kind"], row["scope"], row["scope_rule"])
    except ValueError as error:
        raise ValueError(f"findings: {error}") from None


def _in_scope_from(row: Mapping[str, Any], heldout: int) -> Metrics | None:
    contradicts = f"findings: the counts in the scope of {row['id']!r:.60} contradict each other"
    try:
        number = counted(row, _IN_SCOPE)
    except ValueError:
        raise ValueError(contradicts) from None
    if number is None:
        return None
    if row["scope"] is None or number > heldout:
        raise ValueError(contradicts)
    return metrics_from(row, _IN_SCOPE)


def _concentration_from(row: Mapping[str, Any], heldout: int) -> Concentration | None:
    try:
        return concentration_from(row, heldout)
    except ValueError as error:
        raise ValueError(f"findings: {row['id']!r:.60}: {error}") from None


def _rating_cells(scale: str, rating: Estimate | None) -> dict[str, Scalar]:
    cells = (rating.value, rating.low, rating.high, rating.n) if rating else (None, None, None, None)
    return dict(zip((scale, f"{scale}_low", f"{scale}_high", f"{scale}_n"), cells, strict=True))


def _rating_from(row: Mapping[str, Any], replies: tuple[Any, ...]) -> Rating | None:
    if row["interestingness_n"] is None or row["abstraction_n"] is None:
        return None
    interestingness, abstraction = (
        Estimate(row[scale], row[f"{scale}_low"], row[f"{scale}_high"], row[f"{scale}_n"])
        for scale in ("interestingness", "abstraction")
    )
    return Rating(interestingness, abstraction, replies)
