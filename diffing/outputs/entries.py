"""The merged list as outputs show it: its leads with those that say the same, numbered. Knows no page and no file."""

from collections.abc import Mapping
from dataclasses import dataclass

from diffing.outputs.words import percent
from diffing.report import leading
from diffing.types import Estimate, Finding, Report

KNOWN_BY: Mapping[str, str] = {
    "property": "the same measured property",
    "judge": "the judge says that both say the same",
    "verdicts": "shows in the same pairs",
}
"""How a member is known to say the same as its lead, in words."""


@dataclass(frozen=True, slots=True)
class Member:
    """A finding that says the same as the lead of its entry."""

    number: int
    """In the report; members come after all leads."""
    finding: Finding
    """The finding."""
    known_by: str
    """How that is known, in words."""
    agreement: Estimate
    """See `types.Merged.agreement`."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the merged list."""

    number: int
    """From 1, in the list's order."""
    lead: Finding
    """The finding that speaks for all."""
    members: tuple[Member, ...]
    """The others."""


def entries_of(report: Report) -> tuple[Entry, ...]:
    """The merged list in its order; where nothing was merged every finding is an entry.

    Args:
        report: What is shown.
    """
    leads = leading(report)
    if not report.merged:
        return tuple(Entry(number, lead, ()) for number, lead in enumerate(leads, 1))
    by_id = {finding.hypothesis.id: finding for finding in report.findings}
    entries, last = [], len(leads)
    for number, (lead, merged) in enumerate(zip(leads, report.merged, strict=True), 1):
        others = zip(merged.members[1:], merged.known_by[1:], merged.agreement[1:], strict=True)
        members = tuple(
            Member(last + i, by_id[member], KNOWN_BY.get(known_by, known_by), agreement)
            for i, (member, known_by, agreement) in enumerate(others, 1)
        )
        entries.append(Entry(number, lead, members))
        last += len(members)
    return tuple(entries)


def numbers_of(report: Report) -> dict[str, int]:
    """Every finding's number by its id: leads in the list's order, then the members."""
    numbers: dict[str, int] = {}
    for entry in entries_of(report):
        numbers[entry.lead.hypothesis.id] = entry.number
        numbers |= {member.finding.hypothesis.id: member.number for member in entry.members}
    return numbers


def also_found(entry: Entry) -> str:
    """By what else an entry was found: "sae (agreement 96 %), lexical (agreement 87 %)"; empty where by nothing."""
    return ", ".join(
        f"{member.finding.hypothesis.method} (agreement {percent(member.agreement.value)})" for member in entry.members
    )
