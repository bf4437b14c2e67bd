"""A document and its tables into a report: every value of its type, every reference to something that is there.

Whoever shows a report can then rely on it. Knows no file.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar, get_args

from diffing.report.document import Document
from diffing.report.findings import findings_from
from diffing.report.parquet import read_method_table, read_our_table
from diffing.report.verdicts import read_judgement_table
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

_Rows = list[dict[str, Any]]
T = TypeVar("T")


def report_of(document: Document, contents: Mapping[str, bytes], earlier: tuple[Finding, ...] | None = None) -> Report:
    """The report.

    Args:
        document: What `report.json` says.
        contents: The parquet files by name.
        earlier: The findings without evidence, from a document that held them; else they are read from their table.

    Raises:
        pyarrow.ArrowException, OSError: Not parquet.
        KeyError, TypeError, ValueError: Something is missing, of another type, or fits nothing.
    """
    names = ("prompts", "responses", "evidence", *(("findings", "ratings") if earlier is None else ()))
    rows = {name: read_our_table(name, _content(contents, name)) for name in names}
    tables: dict[str, tuple[Row, ...]] = {name: read_method_table(_content(contents, name)) for name in document.tables}
    pairs = _pairs(rows["prompts"], rows["responses"])
    prompts = {pair.prompt.id for pair in pairs}
    evidence = _evidence(rows["evidence"], prompts)
    if earlier is None:
        findings = findings_from(rows["findings"], rows["ratings"], evidence)
    else:
        findings = _with_evidence(earlier, evidence)
    hypotheses = {finding.hypothesis.id for finding in findings}
    if strange := evidence.keys() - hypotheses:
        raise ValueError(f"evidence: there is no hypothesis_id {min(strange)!r:.60}")
    _check_merged(document.merged, [finding.hypothesis.id for finding in findings])
    return Report(
        model_a=document.model_a,
        model_b=document.model_b,
        others=document.others,
        pairs=pairs,
        findings=findings,
        judgements=read_judgement_table(_content(contents, "judgements"), hypotheses, prompts),
        tables=tables,
        left_out=document.left_out,
        notes=document.notes,
        usage=document.usage,
        settings=document.settings,
        versions=document.versions,
        merged=document.merged,
    )


def _content(contents: Mapping[str, bytes], name: str) -> bytes:
    try:
        return contents[f"{name}.parquet"]
    except KeyError:
        raise ValueError(f"the table {name:.60} is not among its files") from None


def _check(rows: _Rows, table: str, column: str, allowed: Collection[object]) -> None:
    for row in rows:
        if row[column] not in allowed:
            raise ValueError(f"{table}: there is no {column} {row[column]!r:.60}")


def _pairs(prompts: _Rows, responses: _Rows) -> tuple[Pair, ...]:
    _check(prompts, "prompts", "split", get_args(Split))
    _check(responses, "responses", "side", SIDES)
    _check(responses, "responses", "finish", get_args(Finish))
    answers = _by(lambda row: (row["prompt_id"], row.pop("side")), responses, "responses")
    made = _by(lambda row: row["id"], prompts, "prompts")
    if answers.keys() != {(id_, side) for id_ in made for side in SIDES}:
        raise ValueError("responses: expected one of either side for each prompt")
    return tuple(
        Pair(_prompt(row), Response(**answers[id_, "a"]), Response(**answers[id_, "b"])) for id_, row in made.items()
    )


def _by(key: Callable[[dict[str, Any]], Any], rows: _Rows, table: str) -> dict[Any, dict[str, Any]]:
    found = {key(row): row for row in rows}
    if len(found) < len(rows):
        raise ValueError(f"{table}: two rows are the same one's")
    return found


def _prompt(row: dict[str, Any]) -> Prompt:
    turns = row["messages"]
    _check(turns, "prompts", "role", get_args(Role))
    if not turns:
        raise ValueError(f"prompts: {row['id']!r:.60} has no messages")
    return Prompt(**{**row, "messages": tuple(Message(**turn) for turn in turns)})


def _evidence(rows: _Rows, prompts: Collection[str]) -> dict[str, list[Evidence]]:
    """The passages by hypothesis id."""
    _check(rows, "evidence", "prompt_id", prompts)
    _check(rows, "evidence", "side", SIDES)
    found: dict[str, list[Evidence]] = {}
    for row in rows:
        found.setdefault(row.pop("hypothesis_id"), []).append(Evidence(**row))
    return found


def _with_evidence(findings: Sequence[Finding], evidence: Mapping[str, Sequence[Evidence]]) -> tuple[Finding, ...]:
    ids = [finding.hypothesis.id for finding in findings]
    if len(set(ids)) < len(ids):
        raise ValueError("findings: two have the same id")
    return tuple(
        replace(each, hypothesis=replace(each.hypothesis, evidence=tuple(evidence.get(each.hypothesis.id, ()))))
        for each in findings
    )


def _check_merged(merged: tuple[Merged, ...], findings: list[str]) -> None:
    told = sorted(member for entry in merged for member in entry.members)
    whole = all(
        entry.members[:1] == (entry.lead,) and len(entry.members) == len(entry.known_by) == len(entry.agreement)
        for entry in merged
    )
    if merged and not (whole and told == sorted(findings)):
        raise ValueError("the merged list does not hold every finding once")
