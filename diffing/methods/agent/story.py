"""The tables of method agent: the rounds of its investigation, its prompts with all answers, and its hypotheses."""

from collections.abc import Iterator, Sequence

from diffing.methods.agent.hypotheses import ConcludedEntry
from diffing.methods.agent.investigation import Investigation, InvestigationRound
from diffing.methods.agent.notebook import NotebookEntry
from diffing.methods.agent.probes import Probe
from diffing.types import Row


def rows_of_story(found: Investigation, concluded: Sequence[ConcludedEntry]) -> tuple[Row, ...]:
    """The story, one row per thing that happened: what was seen, thought, and asked in each round, and what came of it.

    Args:
        found: The investigation.
        concluded: What becomes of its last hypotheses.
    """
    rows = [row for each in found.rounds for row in _of_round(each)]
    last = found.rounds[-1].number
    rows += [_row(last, "concluded", i, f"{each.outcome}: {_said(each.note)}") for i, each in enumerate(concluded, 1)]
    return tuple(rows)


def _of_round(happened: InvestigationRound) -> Iterator[Row]:
    number, reply = happened.number, happened.reply
    if reply is None:
        yield _row(number, "unreadable", None, "The reply could not be read; the notebook stays as it was.")
        return
    if reply.seen:
        yield _row(number, "seen", None, reply.seen)
    for i, note in enumerate(reply.notes, start=1):
        yield _row(number, "thought", i, f"{note.status}: {_said(note)}")
    for probe in happened.probes:
        yield _row(number, "asked", probe.request.aim, f"{probe.number}. {probe.request.text} ({probe.request.why})")
    if happened.refused:
        yield _row(number, "not asked", None, f"{happened.refused} prompts repeat others, or are too many.")


def _said(note: NotebookEntry) -> str:
    """The hypothesis with its evidence in one sentence."""
    return (
        f"{note.direction.upper()}: {note.statement.text} For it: {_listed(note.supporting)}; against it: "
        f"{_listed(note.contradicting)}; neither: {_listed(note.without)}."
    )


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers)) or "none"


def _row(round_: int, event: str, hypothesis: int | None, text: str) -> Row:
    return {"round": round_, "event": event, "hypothesis": hypothesis, "text": text}


def rows_of_probes(probes: Sequence[Probe]) -> tuple[Row, ...]:
    """One row per prompt of the investigation and sample, with both answers."""
    return tuple(
        {
            "number": probe.number,
            "round": probe.round,
            "prompt_id": probe.prompt.id,
            "hypothesis": probe.request.aim,
            "why": probe.request.why,
            "prompt": probe.request.text,
            "answer": answer,
            "answer_a": pair.a.text,
            "answer_b": pair.b.text,
        }
        for probe in probes
        for answer, pair in enumerate(probe.pairs, start=1)
    )


def rows_of_notes(concluded: Sequence[ConcludedEntry]) -> tuple[Row, ...]:
    """One row per hypothesis of the last notebook."""
    return tuple(
        {
            "hypothesis": each.note.statement.text,
            "condition": each.note.statement.condition,
            "direction": each.note.direction,
            "outcome": each.outcome,
            "hypothesis_id": each.hypothesis.id if each.hypothesis else None,
            "prompts_for": len(each.note.supporting),
            "prompts_against": len(each.note.contradicting),
            "prompts_neither": len(each.note.without),
        }
        for each in concluded
    )
