"""Assembles a `Report` from its document and tables, and checks the type of every value and the target of every id.

Code that shows a report can therefore rely on its types and references.
"""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar, get_args

from diffing.report.earlier_versions import with_scales
from diffing.report.findings_rows import findings_from
from diffing.report.json_document import ReportDocument, check_coverage
from diffing.report.judgements_table import read_judgement_table
from diffing.report.levels_table import levels_from
from diffing.report.parquet import read_method_table, read_our_table
from diffing.report.schema import TABLES
from diffing.types import (
    SIDES,
    Evidence,
    Finding,
    Finish,
    Merged,
    Message,
    Pair,
    Prompt,
    Report,
    Response,
    Role,
    Row,
    Split,
)

_CHECKS = "judge_checks"
"""The table of the checks of the judge."""
_Rows = list[dict[str, Any]]
T = TypeVar("T")


def report_of(
    document: ReportDocument, contents: Mapping[str, bytes], earlier: tuple[Finding, ...] | None = None
) -> Report:
    """Assembles a report.

    Args:
        document: The contents of `report.json`.
        contents: The bytes of the parquet files, by file name.
        earlier: The findings, without evidence, if the document's schema version held them; None reads them from
            their table.

    Raises:
        pyarrow.ArrowException, OSError: A file is not parquet.
        KeyError, TypeError, ValueError: Something is missing, has the wrong type, or is not allowed in its place.
    """
    version = document.schema_version
    names = [name for name, table in TABLES.items() if table.since <= version and name != "judgements"]
    rows = {
        name: read_our_table(name, _content(contents, name), version)
        for name in names
        if earlier is None or name != "findings"
    }
    tables: dict[str, tuple[Row, ...]] = {name: read_method_table(_content(contents, name)) for name in document.tables}
    if _CHECKS in tables:
        tables[_CHECKS] = with_scales(tables[_CHECKS])
    pairs = _pairs(rows["prompts"], rows["responses"])
    prompts = {pair.prompt.id for pair in pairs}
    counts = {split: sum(pair.prompt.split == split for pair in pairs) for split in get_args(Split)}
    findings = _findings(rows, earlier, prompts, counts)
    hypotheses = {finding.hypothesis.id for finding in findings}
    _check_merged(document.merged, [finding.hypothesis.id for finding in findings])
    check_coverage(document.coverage, counts["heldout"])
    return Report(
        model_a=document.model_a,
        model_b=document.model_b,
        others=document.others,
        pairs=pairs,
        findings=findings,
        judgements=read_judgement_table(_content(contents, "judgements"), hypotheses, prompts, version),
        tables=tables,
        left_out=document.left_out,
        notes=document.notes,
        usage=document.usage,
        settings=document.settings,
        versions=document.versions,
        merged=document.merged,
        coverage=document.coverage,
    )


def _findings(
    rows: Mapping[str, _Rows], earlier: tuple[Finding, ...] | None, prompts: set[str], counts: Mapping[Split, int]
) -> tuple[Finding, ...]:
    """The findings with their evidence, either from their tables or as an earlier schema version held them."""
    evidence = _evidence(rows["evidence"], prompts)
    if earlier is None:
        findings = findings_from(rows["findings"], rows["ratings"], evidence, counts["heldout"])
        findings = _with_levels(findings, rows.get("levels", ()), counts)
    else:
        findings = _with_evidence(earlier, evidence)
    if strange := evidence.keys() - {finding.hypothesis.id for finding in findings}:
        raise ValueError(f"evidence: there is no hypothesis_id {min(strange)!r:.60}")
    return findings


def _content(contents: Mapping[str, bytes], name: str) -> bytes:
    try:
        return contents[f"{name}.parquet"]
    except KeyError:
        raise ValueError(f"the table {name:.60} is not among the report's files") from None


def _check(rows: _Rows, table: str, column: str, allowed: Collection[object]) -> None:
    for row in rows:
        if row[column] not in allowed:
            raise ValueError(f"{table}: there is no {column} {row[column]!r:.60}")


def _pairs(prompts: _Rows, responses: _Rows) -> tuple[Pair, ...]:
    _check(prompts, "prompts", "split", get_args(Split))
    _check(responses, "responses", "side", SIDES)
    _check(responses, "responses", "finish", get_args(Finish))
    answers = _by(lambda row: (row["prompt_id"], row.pop("side")), responses, "responses")
    by_id = _by(lambda row: row["id"], prompts, "prompts")
    if answers.keys() != {(id_, side) for id_ in by_id for side in SIDES}:
        raise ValueError("responses: expected one response of each side for each prompt")
    return tuple(
        Pair(_prompt(row), Response(**answers[id_, "a"]), Response(**answers[id_, "b"])) for id_, row in by_id.items()
    )


def _by(key: Callable[[dict[str, Any]], Any], rows: _Rows, table: str) -> dict[Any, dict[str, Any]]:
    by_key = {key(row): row for row in rows}
    if len(by_key) < len(rows):
        raise ValueError(f"{table}: two rows have the same key")
    return by_key


def _prompt(row: dict[str, Any]) -> Prompt:
    turns = row["messages"]
    _check(turns, "prompts", "role", get_args(Role))
    if not turns:
        raise ValueError(f"prompts: {row['id']!r:.60} has no messages")
    return Prompt(**{**row, "messages": tuple(Message(**turn) for turn in turns)})


def _evidence(rows: _Rows, prompts: Collection[str]) -> dict[str, list[Evidence]]:
    """Returns the evidence passages by hypothesis id."""
    _check(rows, "evidence", "prompt_id", prompts)
    _check(rows, "evidence", "side", SIDES)
    evidence: dict[str, list[Evidence]] = {}
    for row in rows:
        evidence.setdefault(row.pop("hypothesis_id"), []).append(Evidence(**row))
    return evidence


def _with_evidence(findings: Sequence[Finding], evidence: Mapping[str, Sequence[Evidence]]) -> tuple[Finding, ...]:
    ids = [finding.hypothesis.id for finding in findings]
    if len(set(ids)) < len(ids):
        raise ValueError("findings: two have the same id")
    return tuple(
        replace(each, hypothesis=replace(each.hypothesis, evidence=tuple(evidence.get(each.hypothesis.id, ()))))
        for each in findings
    )


def _with_levels(
    findings: Sequence[Finding], rows: Sequence[Mapping[str, Any]], prompts: Mapping[Split, int]
) -> tuple[Finding, ...]:
    levels = levels_from(rows, {each.hypothesis.id: each for each in findings}, prompts)
    return tuple(replace(each, levels=levels.get(each.hypothesis.id, ())) for each in findings)


def _check_merged(merged: tuple[Merged, ...], findings: list[str]) -> None:
    listed = sorted(member for entry in merged for member in entry.members)
    whole = all(
        entry.members[:1] == (entry.lead,)
        and len(entry.members) == len(entry.known_by) == len(entry.agreement)
        and len(entry.residual) in (0, len(entry.members))
        for entry in merged
    )
    if merged and not (whole and listed == sorted(findings)):
        raise ValueError("the merged list does not hold every finding exactly once")
    residuals = (residual for entry in merged for residual in entry.residual if residual is not None)
    if not all(map(math.isfinite, residuals)):
        raise ValueError("the merged list has a residual that is not a finite number")
