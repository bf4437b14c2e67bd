"""Filters, sorts and pages the entries of a report's list of findings."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeGuard

from diffing.estimates import Metrics
from diffing.metrics import metrics_of
from diffing.outputs.behaviour_words import metrics_shown
from diffing.outputs.blocks import ShownBlock, block_of, lines_by_block, numbers
from diffing.outputs.phrasing import statement
from diffing.outputs.prompt_kinds import Place, PromptKind, counts_by_kind, shows_in
from diffing.report.grouped_list import ListEntry
from diffing.types import Finding, Side
from diffing.view.result.report_cache import OpenedReport

PER_PAGE = 40
"""Number of entries on one page."""
SORTS: Mapping[str, str] = {
    "": "Recommended",
    "net": "Largest difference",
    "q": "Surest",
    "interest": "Most interesting",
}
"""The sort orders, with their labels."""


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which findings a visitor wants to see."""

    method: str | None = None
    """Only findings of this method, by the entry's lead or by a finding that says the same."""
    category: str | None = None
    """Only findings of this category."""
    direction: Side | None = None
    """Only behaviour of this side's model."""
    block: ShownBlock = "differences"
    """The part of the list."""
    where: Place | None = None
    """Only findings that show on held-out prompts of this kind, or that are concentrated in the scope of this name. On
    a kind, their counts are shown too."""
    words: str = ""
    """Words that must all occur in the statement."""
    sort: str = ""
    """A key of `SORTS`. The largest value comes first, for q the smallest; undefined values come last."""
    page: int = 0
    """The index of the page, from 0."""


@dataclass(frozen=True, slots=True)
class EntryPage:
    """One page of entries."""

    entries: tuple[ListEntry, ...]
    """The entries in order."""
    page: int
    """The index of the page, from 0."""
    total: int
    """Number of entries that pass the filter."""
    of: int
    """Number of entries of the part without the filter."""
    slices: Mapping[str, Metrics]
    """The metrics of each lead on the chosen kind of prompt, by hypothesis id; empty without a chosen kind."""

    @property
    def pages(self) -> int:
        """Number of pages, at least one."""
        return max(-(-self.total // PER_PAGE), 1)


def choose(opened: OpenedReport, filters: EntryFilter) -> EntryPage:
    """One page of the entries that pass a filter.

    Args:
        opened: The report.
        filters: The filter. After the last page comes the last page again.
    """
    names = opened.index.names
    needles = filters.words.lower().split()

    def passes(entry: ListEntry) -> bool:
        findings = _all(entry)
        said = "\n".join(statement(finding, names) for finding in findings).lower()
        return (
            (filters.method is None or any(f.hypothesis.method == filters.method for f in findings))
            and (filters.category is None or any(f.hypothesis.category == filters.category for f in findings))
            and filters.direction in (None, entry.lead.hypothesis.direction)
            and all(needle in said for needle in needles)
        )

    every = lines_by_block(opened.index)[filters.block]
    passing = [entry for entry in every if passes(entry)]
    where = filters.where
    if where is not None:
        passing = [entry for entry in passing if shows_in(entry.lead, where, opened.index)]
    passing.sort(key=lambda entry: _rank(entry.lead, filters.sort))  # stable: ties keep the list's order
    page = min(max(filters.page, 0), max(-(-len(passing) // PER_PAGE) - 1, 0))
    shown = tuple(passing[page * PER_PAGE : (page + 1) * PER_PAGE])
    slices = {e.lead.hypothesis.id: sliced(opened, e.lead, where) for e in shown} if _is_kind(where) else {}
    return EntryPage(shown, page, len(passing), len(every), slices)


def filter_for(opened: OpenedReport, number: int) -> EntryFilter:
    """Returns the filter that shows a finding: its part of the list, and its page there.

    Args:
        opened: The report.
        number: The number of an existing finding.
    """
    block = block_of(opened.index, number)
    places = (place for place, entry in enumerate(lines_by_block(opened.index)[block]) if number in numbers(entry))
    return EntryFilter(block=block, page=next(places) // PER_PAGE)


def sliced(opened: OpenedReport, finding: Finding, kind: PromptKind) -> Metrics:
    """A finding's metrics on the held-out prompts of one kind.

    Args:
        opened: The report.
        finding: One of its findings.
        kind: The kind of prompts.
    """
    (counts,) = counts_by_kind(finding, [kind], opened.index)
    return metrics_of(counts.n, counts.k_for, counts.k_against)


def _is_kind(where: Place | None) -> TypeGuard[PromptKind]:
    return isinstance(where, PromptKind)


def _all(entry: ListEntry) -> tuple[Finding, ...]:
    return entry.lead, *(member.finding for member in entry.members)


def _rank(finding: Finding, sort: str) -> float:
    heldout, rating = finding.heldout, finding.rating
    values = {
        "net": metrics_shown(finding).net_difference.value,
        "q": None if heldout.q is None else -heldout.q,
        "interest": rating.interestingness.value if rating else None,
    }
    if sort not in values:
        return 0.0
    value = values[sort]
    return math.inf if value is None else -value
