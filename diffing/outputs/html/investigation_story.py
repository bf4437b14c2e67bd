"""The story of an investigation by the agent method, round by round, for the report page.

A stranger may have made the report, so each field of a row is checked by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from diffing.types import Report, Row

TABLE = "agent_story"
"""Name of the report's table with the story."""
MOST_EVENTS = 1_000
"""The most events that are shown."""
_EVENTS: Mapping[str, str] = {
    "seen": "Saw",
    "thought": "Thought",
    "asked": "Asked",
    "concluded": "Concluded",
    "not asked": "Did not ask",
    "unreadable": "Was not understood",
}


@dataclass(frozen=True, slots=True)
class StoryEvent:
    """One thing that happened."""

    what: str
    """What the agent did, in a word or two."""
    hypothesis: str
    """The number of the hypothesis in the notebook that it is about; empty if it is about none."""
    text: str
    """What it saw, thought or asked."""


@dataclass(frozen=True, slots=True)
class StoryRound:
    """One round of the investigation."""

    number: str
    """Its number."""
    events: tuple[StoryEvent, ...]
    """What happened in it, in order."""


def story_of(report: Report) -> tuple[StoryRound, ...]:
    """Returns the rounds of a report's investigation, at most `MOST_EVENTS` events; empty if it had none."""
    rounds: dict[str, list[StoryEvent]] = {}
    for row in report.tables.get(TABLE, ())[:MOST_EVENTS]:
        rounds.setdefault(str(row.get("round")), []).append(_event(row))
    return tuple(StoryRound(number, tuple(events)) for number, events in rounds.items())


def _event(row: Row) -> StoryEvent:
    what, hypothesis = str(row.get("event")), row.get("hypothesis")
    return StoryEvent(_EVENTS.get(what, what), "" if hypothesis is None else str(hypothesis), str(row.get("text")))
