"""Stores what users asked of a report in two tables of its own, beside the run's findings, and reads them back.

A report may come from a stranger, so every field is checked: what cannot be read is dropped. All numbers are computed
from the stored verdicts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast, get_args

from diffing import metrics
from diffing.estimates import Metrics
from diffing.metrics.holm import holm
from diffing.scope import Scope
from diffing.types import (
    SIDES,
    Category,
    Finding,
    Hypothesis,
    Judgement,
    Report,
    Row,
    Scalar,
    Verdict,
)

QUESTIONS, VERDICTS = "asked_questions", "asked_verdicts"
"""The names of the two tables."""
METHOD = "asked"
"""The `Hypothesis.method` of what a user asked."""
MOST = 100
"""Maximum number of hypotheses that can be asked of one report."""
_LONGEST = 2_000
"""Maximum number of characters of a text that is read."""


@dataclass(frozen=True, slots=True)
class AskedHypothesis:
    """A hypothesis that a user asked about after a run, with the verdicts on held-out prompts."""

    question: str
    """The question in the user's words."""
    hypothesis: Hypothesis
    """The hypothesis that was tested."""
    judge: str
    """The id of the judge."""
    judgements: tuple[Judgement, ...]
    """Its verdicts, at most one per held-out prompt."""


@dataclass(frozen=True, slots=True)
class AskedResult:
    """What was asked, with its result."""

    asked: AskedHypothesis
    """What was asked."""
    finding: Finding
    """Its result, as that of a finding. It has no metrics on train. Its q is Holm's p over all that was asked of the
    report, and it is confirmed if that is at most 5%."""


def asked_of(report: Report) -> tuple[AskedHypothesis, ...]:
    """Reads what was asked of a report, in the order in which it was asked."""
    heldout = {pair.prompt.id for pair in report.pairs if pair.prompt.split == "heldout"}
    verdicts: dict[str, dict[str, Judgement]] = {}
    judges = {str(row.get("hypothesis_id")): str(row.get("judge")) for row in report.tables.get(QUESTIONS, ())}
    for row in report.tables.get(VERDICTS, ()):
        judgement = _judgement(row, judges)
        if judgement is not None and judgement.prompt_id in heldout:
            verdicts.setdefault(judgement.hypothesis_id, {})[judgement.prompt_id] = judgement
    found: dict[str, AskedHypothesis] = {}
    for row in report.tables.get(QUESTIONS, ()):
        own = _asked(row, verdicts)
        if own is not None and len(found) < MOST:
            found.setdefault(own.hypothesis.id, own)
    return tuple(found.values())


def judges_of(report: Report) -> tuple[str, ...]:
    """The ids of all models that judged what was asked of a report, also in rows that are not read."""
    named = (row.get("judge") for row in report.tables.get(QUESTIONS, ()))
    return tuple(dict.fromkeys(judge for judge in named if isinstance(judge, str)))


def asked_results(asked: Sequence[AskedHypothesis]) -> tuple[AskedResult, ...]:
    """Tests everything that was asked of a report together, apart from the run's findings.

    Args:
        asked: All of it.
    """
    measured = [metrics.measure(each.judgements, each.hypothesis.direction) for each in asked]
    tested = [each.p for each in measured if each.p is not None]
    corrected = iter(holm(tested))
    return tuple(
        _result(each, replace(own, q=None if own.p is None else next(corrected)))
        for each, own in zip(asked, measured, strict=True)
    )


def with_asked(report: Report, asked: Sequence[AskedHypothesis]) -> Report:
    """Adds what was asked to a report; what was asked before stays, and the same hypothesis is replaced.

    Args:
        report: The report.
        asked: What was asked now; nothing leaves the report as it is.
    """
    if not asked:
        return report
    every = {each.hypothesis.id: each for each in (*asked_of(report), *asked)}
    questions = tuple(_question_row(each) for each in every.values())
    verdicts = tuple(_verdict_row(judgement) for each in every.values() for judgement in each.judgements)
    return replace(report, tables={**report.tables, QUESTIONS: questions, VERDICTS: verdicts})


def _result(asked: AskedHypothesis, heldout: Metrics) -> AskedResult:
    hypothesis = asked.hypothesis
    inside = [judgement for judgement in asked.judgements if judgement.in_scope]
    finding = Finding(
        hypothesis=hypothesis,
        train=metrics.metrics_of(0, 0, 0),
        heldout=heldout,
        accepted=False,
        confirmed=metrics.confirmed(heldout),
        heldout_in_scope=metrics.measure(inside, hypothesis.direction) if hypothesis.scope else None,
    )
    return AskedResult(asked, finding)


def _question_row(asked: AskedHypothesis) -> Row:
    hypothesis = asked.hypothesis
    return {
        "hypothesis_id": hypothesis.id,
        "question": asked.question,
        "text": hypothesis.text,
        "direction": hypothesis.direction,
        "category": hypothesis.category,
        "condition": hypothesis.scope.words if hypothesis.scope else "",
        "judge": asked.judge,
    }


def _verdict_row(judgement: Judgement) -> Row:
    return {
        "hypothesis_id": judgement.hypothesis_id,
        "prompt_id": judgement.prompt_id,
        "verdict": judgement.verdict.value,
        "in_scope": judgement.in_scope,
        "shown_first": judgement.shown_first or "",
        "reply": judgement.reply or "",
    }


def _asked(row: Row, verdicts: dict[str, dict[str, Judgement]]) -> AskedHypothesis | None:
    """One row of the first table with its verdicts; None if it cannot be read, or has none."""
    texts = [_text(row.get(key)) for key in ("hypothesis_id", "question", "text", "judge")]
    direction, category, condition = row.get("direction"), row.get("category"), _text(row.get("condition"))
    if not all(texts) or direction not in SIDES or category not in get_args(Category):
        return None
    hypothesis_id, question, text, judge = texts
    if hypothesis_id not in verdicts:
        return None
    hypothesis = Hypothesis(
        id=hypothesis_id,
        text=text,
        direction=direction,
        method=METHOD,
        category=cast(Category, category),
        scope=Scope("stated", condition) if condition else None,
    )
    return AskedHypothesis(question, hypothesis, judge, tuple(verdicts[hypothesis_id].values()))


def _judgement(row: Row, judges: dict[str, str]) -> Judgement | None:
    hypothesis_id, prompt_id, verdict = (row.get(key) for key in ("hypothesis_id", "prompt_id", "verdict"))
    if hypothesis_id not in judges or not isinstance(prompt_id, str) or verdict not in list(Verdict):
        return None
    shown_first = row.get("shown_first")
    return Judgement(
        hypothesis_id=str(hypothesis_id),
        prompt_id=prompt_id,
        verdict=Verdict(str(verdict)),
        judge=judges[str(hypothesis_id)],
        shown_first=shown_first if shown_first in SIDES else None,
        reply=_text(row.get("reply")) or None,
        in_scope=row.get("in_scope") is not False,
    )


def _text(value: Scalar) -> str:
    return value[:_LONGEST] if isinstance(value, str) else ""
