"""The merged list, numbered: each entry's lead and the findings that say the same. Knows no page and no file."""

from collections.abc import Mapping
from dataclasses import dataclass

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


def entries_of(report: Report, findings: Mapping[str, Finding]) -> tuple[Entry, ...]:
    """The merged list in its order; if nothing was merged, every finding is an entry.

    Args:
        report: The report that is shown.
        findings: Its findings by hypothesis id.
    """
    if not report.merged:
        return tuple(Entry(number, lead, ()) for number, lead in enumerate(report.findings, 1))
    entries, last = [], len(report.merged)
    for number, merged in enumerate(report.merged, 1):
        others = zip(merged.members[1:], merged.known_by[1:], merged.agreement[1:], strict=True)
        members = tuple(
            Member(last + i, findings[member], KNOWN_BY.get(known_by, known_by), agreement)
            for i, (member, known_by, agreement) in enumerate(others, 1)
        )
        entries.append(Entry(number, findings[merged.lead], members))
        last += len(members)
    return tuple(entries)
