"""Converts findings to the rows of `findings.parquet`, `ratings.parquet` and `evidence.parquet`, and rows back."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast, get_args

from diffing.estimates import Estimate, Metrics
from diffing.report.schema import TABLES
from diffing.scope import Scope, ScopeKind
from diffing.types import (
    SIDES,
    Category,
    Evidence,
    Finding,
    Hypothesis,
    LatentMeasure,
    Measure,
    PhraseMeasure,
    PropertyMeasure,
    Rating,
    Report,
    Row,
    Scalar,
)

_PROPERTY, _PHRASE, _LATENTS, _LATENTS_IN_WORDS = "property", "phrase", "latents", "latents in words"
_INDICES = re.compile(r"[0-9]{1,9}(?:, [0-9]{1,9})*")
_ESTIMATES = ("frequency", "accuracy", "net_difference")
_IN_SCOPE = "heldout_in_scope"
_IN_SCOPE_COLUMNS = tuple(each.name for each in TABLES["findings"].columns if each.name.startswith(f"{_IN_SCOPE}_"))


def finding_row(finding: Finding) -> Row:
    """Converts one finding to a flat row, its columns in the order of the schema.

    Args:
        finding: The finding.
    """
    h, rating = finding.hypothesis, finding.rating
    kind, measured = _measure_cells(h.measure)
    scope, in_scope = h.scope, finding.heldout_in_scope
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
        "scope_kind": scope.kind if scope else None,
        "scope": scope.words if scope else None,
        "accepted": finding.accepted,
        "confirmed": finding.confirmed,
        **_rating_cells("interestingness", rating.interestingness if rating else None),
        **_rating_cells("abstraction", rating.abstraction if rating else None),
        **_metrics_cells("train", finding.train),
        **_metrics_cells("heldout", finding.heldout),
        "heldout_q": finding.heldout.q,
        **(_metrics_cells(_IN_SCOPE, in_scope) if in_scope else dict.fromkeys(_IN_SCOPE_COLUMNS)),
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
    prompts: int,
) -> tuple[Finding, ...]:
    """Converts rows back to findings.

    Args:
        rows: The rows of the findings table; their types are those of the schema.
        ratings: The rows of the ratings table.
        evidence: The evidence passages by hypothesis id.
        prompts: The number of the report's prompts, which bounds the number of verdicts in a scope.

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
            heldout_in_scope=_in_scope_from(row, prompts),
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
        measure=_measure_from(row["measure"], row["measured"]),
        scope=_scope_from(row["scope_kind"], row["scope"]),
    )
    return Finding(
        hypothesis=hypothesis,
        train=_metrics_from(row, "train", None),
        heldout=_metrics_from(row, "heldout", row["heldout_q"]),
        accepted=row["accepted"],
        confirmed=row["confirmed"],
        rating=_rating_from(row, replies),
    )


def _measure_cells(measure: Measure | None) -> tuple[str | None, str | None]:
    match measure:
        case None:
            return None, None
        case PropertyMeasure(name):
            return _PROPERTY, name
        case PhraseMeasure(phrase):
            return _PHRASE, phrase
        case LatentMeasure(indices, in_words):
            return _LATENTS_IN_WORDS if in_words else _LATENTS, ", ".join(map(str, indices))


def _measure_from(kind: str | None, measured: str | None) -> Measure | None:
    if kind is None and measured is None:
        return None
    if kind == _PROPERTY and measured is not None:
        return PropertyMeasure(measured)
    if kind == _PHRASE and measured is not None:
        return PhraseMeasure(measured)
    if kind in (_LATENTS, _LATENTS_IN_WORDS) and measured is not None and _INDICES.fullmatch(measured):
        return LatentMeasure(tuple(map(int, measured.split(", "))), in_words=kind == _LATENTS_IN_WORDS)
    raise ValueError(f"findings: there is no measure {kind!r:.40} of {measured!r:.60}")


def _scope_from(kind: str | None, words: str | None) -> Scope | None:
    if kind is None and words is None:
        return None
    if kind not in get_args(ScopeKind) or words is None:
        raise ValueError(f"findings: there is no scope {kind!r:.40} of {words!r:.60}")
    return Scope(cast(ScopeKind, kind), words)


def _in_scope_from(row: Mapping[str, Any], prompts: int) -> Metrics | None:
    counts = [row[f"{_IN_SCOPE}_{name}"] for name in ("n", "k_for", "k_against", "unreadable")]
    if counts == [None] * 4:
        return None
    n, k_for, k_against, unreadable = (-1 if count is None else count for count in counts)
    if row["scope"] is None or min(k_for, k_against, unreadable, n - k_for - k_against) < 0 or n + unreadable > prompts:
        raise ValueError(f"findings: the counts in the scope of {row['id']!r:.60} contradict each other")
    return _metrics_from(row, _IN_SCOPE, None)


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


def _metrics_cells(split: str, m: Metrics) -> dict[str, Scalar]:
    cells: dict[str, Scalar] = {
        f"{split}_n": m.n,
        f"{split}_k_for": m.k_for,
        f"{split}_k_against": m.k_against,
        f"{split}_unreadable": m.unreadable,
    }
    for name, e in zip(_ESTIMATES, (m.frequency, m.accuracy, m.net_difference), strict=True):
        cells |= {f"{split}_{name}": e.value, f"{split}_{name}_low": e.low, f"{split}_{name}_high": e.high}
    return {**cells, f"{split}_p": m.p}


def _metrics_from(row: Mapping[str, Any], split: str, q: float | None) -> Metrics:
    n, k_for, k_against, unreadable = (row[f"{split}_{name}"] for name in ("n", "k_for", "k_against", "unreadable"))
    # the number of observations behind each share is not stored, because it follows from the counts
    frequency, accuracy, net = (
        Estimate(row[f"{split}_{name}"], row[f"{split}_{name}_low"], row[f"{split}_{name}_high"], of)
        for name, of in zip(_ESTIMATES, (n, k_for + k_against, n), strict=True)
    )
    return Metrics(n, k_for, k_against, unreadable, frequency, accuracy, net, row[f"{split}_p"], q)
