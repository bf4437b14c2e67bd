"""Numbers the entries of a report's list, each a finding with those that say the same or belong to it."""

from collections.abc import Mapping
from dataclasses import dataclass

from diffing.estimates import Estimate
from diffing.types import Block, FeatureMeasure, Finding, KnownBy, LatentMeasure, Report

SAYS_THE_SAME: frozenset[KnownBy] = frozenset({"property", "judge", "verdicts"})
"""The reasons to list a member that mean that it says the same as its lead; otherwise it is a further sign."""


@dataclass(frozen=True, slots=True)
class ListMember:
    """A finding that says the same as the lead of its line, or is a further sign of the same behaviour."""

    number: int
    """The finding's number in the report; members are numbered after all leads."""
    finding: Finding
    """The finding itself."""
    known_by: KnownBy
    """Why it belongs to the line, as reports store it."""
    agreement: Estimate
    """How often its verdicts agree with the lead's; see `types.Merged.agreement`."""

    @property
    def says_the_same(self) -> bool:
        """Whether it says the same as the lead."""
        return self.known_by in SAYS_THE_SAME


@dataclass(frozen=True, slots=True)
class ListEntry:
    """One line of the list: findings that say the same or are signs of the same behaviour."""

    number: int
    """The line's place in the list, counted from 1."""
    lead: Finding
    """The finding that represents the line."""
    members: tuple[ListMember, ...]
    """The other findings of the line."""
    block: Block
    """The part of the list that the line belongs to."""

    @property
    def opposite(self) -> ListMember | None:
        """The strongest confirmed sign in words that the other model does something else; None if there is none.

        Nobody knows what a feature without words stands for, so it is listed among the members alone.
        """
        return next(
            (
                member
                for member in self.members
                if member.finding.confirmed
                and not member.says_the_same
                and not _is_bare(member.finding)
                and member.finding.hypothesis.direction != self.lead.hypothesis.direction
            ),
            None,
        )


def _is_bare(finding: Finding) -> bool:
    measure = finding.hypothesis.measure
    return isinstance(measure, LatentMeasure | FeatureMeasure) and not measure.in_words


def entries_of(report: Report, findings: Mapping[str, Finding]) -> tuple[ListEntry, ...]:
    """Lists the entries in the report's order; if nothing was grouped, every finding is an entry of its own.

    Args:
        report: The report.
        findings: The report's findings by hypothesis id.
    """
    if not report.merged:
        return tuple(ListEntry(number, lead, (), "behaviours") for number, lead in enumerate(report.findings, 1))
    entries, last = [], len(report.merged)
    for number, merged in enumerate(report.merged, 1):
        others = zip(merged.members[1:], merged.known_by[1:], merged.agreement[1:], strict=True)
        members = tuple(
            ListMember(last + i, findings[member], known_by, agreement)
            for i, (member, known_by, agreement) in enumerate(others, 1)
        )
        entries.append(ListEntry(number, findings[merged.lead], members, merged.block))
        last += len(members)
    return tuple(entries)
