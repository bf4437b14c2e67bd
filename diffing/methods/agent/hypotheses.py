"""Turns what is left in the notebook into hypotheses, with the verdicts of the investigation's own prompts."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from diffing.methods.agent.notebook import NotebookEntry
from diffing.methods.agent.probes import Probe
from diffing.metrics.weights import may_be_chance
from diffing.prompts import fold
from diffing.scope import Scope
from diffing.types import DESCRIBED, Hypothesis, Judgement, Verdict, other_side

LEAST_PROMPTS = 3
"""A hypothesis needs at least this many prompts for it; the template says so too."""
TESTED = "tested"
OUTCOMES = {
    "dropped": "dropped in the investigation",
    "few": f"fewer than {LEAST_PROMPTS} prompts for it",
    "chance": "may be chance",
    "same": "says the same as another",
}
"""Why a hypothesis of the last notebook is not tested, in plain words."""


@dataclass(frozen=True, slots=True)
class ConcludedEntry:
    """A hypothesis of the last notebook, and what becomes of it."""

    note: NotebookEntry
    """The hypothesis."""
    outcome: str
    """`tested`, or why not, in plain words."""
    hypothesis: Hypothesis | None
    """What is tested; None if it is not."""


def conclude(notes: Sequence[NotebookEntry], probes: int) -> tuple[ConcludedEntry, ...]:
    """Decides which hypotheses of the last notebook are tested.

    Args:
        notes: The last notebook.
        probes: How many prompts were asked.
    """
    seen: set[tuple[str, str]] = set()
    concluded = []
    for note in notes:
        key = (fold(note.statement.text), note.direction)
        outcome = OUTCOMES["same"] if key in seen else _outcome(note)
        if outcome == TESTED:
            seen.add(key)
        concluded.append(ConcludedEntry(note, outcome, _hypothesis(note, probes) if outcome == TESTED else None))
    return tuple(concluded)


def _outcome(note: NotebookEntry) -> str:
    if note.status == "drop":
        return OUTCOMES["dropped"]
    if len(note.supporting) < LEAST_PROMPTS:
        return OUTCOMES["few"]
    chance = may_be_chance(len(note.supporting), len(note.contradicting))
    return OUTCOMES["chance"] if chance else TESTED


def _hypothesis(note: NotebookEntry, probes: int) -> Hypothesis:
    text = note.statement.text
    return Hypothesis(
        id=f"agent-{hashlib.sha256(f'{note.direction} {text}'.encode()).hexdigest()[:8]}",
        text=text,
        direction=note.direction,
        method="agent",
        category=note.category,
        train_effect=(len(note.supporting) - len(note.contradicting)) / probes,
        scope=Scope("stated", note.statement.condition) if note.statement.condition else None,
    )


def judgements_of(concluded: Sequence[ConcludedEntry], probes: Sequence[Probe]) -> tuple[Judgement, ...]:
    """The verdicts of the notebook on the prompts of the investigation, by hypothesis, then prompt.

    A prompt that the notebook does not list for a hypothesis does not show it, and is outside its condition.
    """
    return tuple(
        _judgement(each.note, each.hypothesis, probe) for each in concluded if each.hypothesis for probe in probes
    )


def _judgement(note: NotebookEntry, hypothesis: Hypothesis, probe: Probe) -> Judgement:
    listed = {
        note.direction: note.supporting,
        other_side(note.direction): note.contradicting,
    }
    verdicts = {"a": Verdict.A, "b": Verdict.B}
    verdict = next((verdicts[side] for side, numbers in listed.items() if probe.number in numbers), Verdict.NOT_SHOWN)
    inside = verdict is not Verdict.NOT_SHOWN or probe.number in note.without or hypothesis.scope is None
    return Judgement(hypothesis.id, probe.prompt.id, verdict, DESCRIBED, in_scope=inside)
