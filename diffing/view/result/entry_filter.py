"""Filters, sorts and pages the entries of a report's list of findings."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from diffing import metrics
from diffing.estimates import Metrics
from diffing.outputs.phrasing import statement
from diffing.report.grouped_list import Entry
from diffing.types import Finding, Side
from diffing.view.result.report_cache import OpenedReport

PER_PAGE = 40
"""Number of entries on one page."""
SORTS: Mapping[str, str] = {
    "": "the report's order",
    "net": "net difference",
    "frequency": "frequency",
    "accuracy": "accuracy",
    "q": "q",
    "interest": "interest",
}
"""The sort orders, with their labels."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which findings a visitor wants to see."""

    method: str | None = None
    """Only findings of this method, by the entry's lead or by a finding that says the same."""
    category: str | None = None
    """Only findings of this category."""
    direction: Side | None = None
    """Only behavior of this side's model."""
    confirmed: bool | None = None
    """Only confirmed findings, or only those that are not confirmed."""
    domain: str | None = None
    """Only findings with at least one decided held-out prompt of this domain. Their metrics in the domain are shown
    too."""
    words: str = ""
    """Words that must all occur in the statement."""
    sort: str = ""
    """A key of `SORTS`. The largest value comes first, for q the smallest; undefined values come last."""
    page: int = 0
    """The index of the page, from 0."""


@dataclass(frozen=True, slots=True)
class EntryPage:
    """One page of entries."""

    entries: tuple[Entry, ...]
    """The entries in order."""
    page: int
    """The index of the page, from 0."""
    total: int
    """Number of entries that pass the filter."""
    of: int
    """Number of entries without the filter."""
    slices: Mapping[str, Metrics]
    """The metrics of each lead in the chosen domain, by hypothesis id; empty without a chosen domain."""

    @property
    def pages(self) -> int:
        """Number of pages, at least one."""
        return max(-(-self.total // PER_PAGE), 1)


def choose(opened: OpenedReport, filters: Filter) -> EntryPage:
    """One page of the entries that pass a filter.

    Args:
        opened: The report.
        filters: The filter. After the last page comes the last page again.
    """
    names = opened.index.names
    needles = filters.words.lower().split()

    def passes(entry: Entry) -> bool:
        findings = _all(entry)
        said = "\n".join(statement(finding, names) for finding in findings).lower()
        return (
            (filters.method is None or any(f.hypothesis.method == filters.method for f in findings))
            and (filters.category is None or any(f.hypothesis.category == filters.category for f in findings))
            and filters.direction in (None, entry.lead.hypothesis.direction)
            and filters.confirmed in (None, entry.lead.confirmed)
            and all(needle in said for needle in needles)
        )

    every = opened.index.entries
    passing = [entry for entry in every if passes(entry)]
    slices: dict[str, Metrics] = {}
    if filters.domain is not None:
        slices = {entry.lead.hypothesis.id: sliced(opened, entry.lead, filters.domain) for entry in passing}
        passing = [entry for entry in passing if _decided(slices[entry.lead.hypothesis.id])]
    passing.sort(key=lambda entry: _rank(entry.lead, filters.sort))  # stable: ties keep the list's order
    page = min(max(filters.page, 0), max(-(-len(passing) // PER_PAGE) - 1, 0))
    shown = tuple(passing[page * PER_PAGE : (page + 1) * PER_PAGE])
    return EntryPage(shown, page, len(passing), len(every), slices)


def page_of_entry(opened: OpenedReport, hypothesis_id: str) -> int:
    """The index of the page on which a finding stands in the unfiltered list."""
    for place, entry in enumerate(opened.index.entries):
        if any(finding.hypothesis.id == hypothesis_id for finding in _all(entry)):
            return place // PER_PAGE
    return 0


def sliced(opened: OpenedReport, finding: Finding, domain: str) -> Metrics:
    """A finding's metrics on the held-out prompts of one domain.

    Args:
        opened: The report.
        finding: One of its findings.
        domain: The domain of the prompts.
    """
    judgements = []
    for judgement in opened.index.verdicts_on(finding.hypothesis.id):
        prompt = opened.index.pairs[judgement.prompt_id].prompt
        if prompt.split == "heldout" and prompt.domain == domain:
            judgements.append(judgement)
    return metrics.measure(judgements, finding.hypothesis.direction)


def _all(entry: Entry) -> tuple[Finding, ...]:
    return entry.lead, *(member.finding for member in entry.members)


def _decided(measured: Metrics) -> bool:
    return measured.k_for + measured.k_against > 0


def _rank(finding: Finding, sort: str) -> float:
    heldout, rating = finding.heldout, finding.rating
    values = {
        "net": heldout.net_difference.value,
        "frequency": heldout.frequency.value,
        "accuracy": heldout.accuracy.value,
        "q": None if heldout.q is None else -heldout.q,
        "interest": rating.interestingness.value if rating else None,
    }
    if sort not in values:
        return 0.0
    value = values[sort]
    return math.inf if value is None else -value
