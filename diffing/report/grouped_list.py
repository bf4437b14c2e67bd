"""Numbers the entries of a report's grouped list: a lead finding each, with the findings that say the same thing."""

from collections.abc import Mapping
from dataclasses import dataclass

from diffing.estimates import Estimate
from diffing.types import Finding, Report

KNOWN_BY: Mapping[str, str] = {
    "property": "the same measured property",
    "judge": "the judge says that both say the same",
    "verdicts": "shows in the same pairs",
}
"""Why a member is taken to say the same as its lead, in words, by the value that reports store."""


@dataclass(frozen=True, slots=True)
class Member:
    """A finding that says the same as the lead of its entry."""

    number: int
    """The finding's number in the report; members are numbered after all leads."""
    finding: Finding
    """The finding itself."""
    known_by: str
    """Why it is taken to say the same as the lead, in words."""
    agreement: Estimate
    """How often its verdicts agree with the lead's; see `types.Merged.agreement`."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the grouped list: findings that all say the same thing."""

    number: int
    """The entry's place in the list, counted from 1."""
    lead: Finding
    """The finding that represents the entry."""
    members: tuple[Member, ...]
    """The other findings of the entry."""


def entries_of(report: Report, findings: Mapping[str, Finding]) -> tuple[Entry, ...]:
    """Lists the entries in the report's order; if nothing was grouped, every finding is an entry of its own.

    Args:
        report: The report.
        findings: The report's findings by hypothesis id.
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
