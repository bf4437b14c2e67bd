"""Which entries of the merged list are shown. Knows no markup."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from diffing import metrics
from diffing.outputs.phrasing import statement
from diffing.report.grouped_list import Entry
from diffing.types import Finding, Metrics, Side
from diffing.view.result.report_cache import Opened

PER_PAGE = 40
"""Entries on one page."""
SORTS: Mapping[str, str] = {
    "": "the report's order",
    "net": "net difference",
    "frequency": "frequency",
    "accuracy": "accuracy",
    "q": "q",
    "interest": "interest",
}
"""What the findings can be sorted by, with its name."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What a visitor wants of the findings."""

    method: str | None = None
    """Found by it, by the lead or by one that says the same."""
    category: str | None = None
    """In this category."""
    direction: Side | None = None
    """Predicted for this model."""
    confirmed: bool | None = None
    """Confirmed or not."""
    domain: str | None = None
    """Decided at least once on held-out prompts of this domain; its numbers are shown as well."""
    words: str = ""
    """Words that must all occur in what is said."""
    sort: str = ""
    """One of `SORTS`: the largest first, of q the smallest; undefined last."""
    page: int = 0
    """From 0."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """One page of entries."""

    entries: tuple[Entry, ...]
    """In the merged list's order."""
    page: int
    """From 0."""
    total: int
    """Entries that pass the filter."""
    of: int
    """Entries in all."""
    slices: Mapping[str, Metrics]
    """Per lead's hypothesis id, its metrics in the domain asked for; empty where none was."""

    @property
    def pages(self) -> int:
        """At least one."""
        return max(-(-self.total // PER_PAGE), 1)


def choose(opened: Opened, wanted: Filter) -> Chosen:
    """The entries that pass a filter, one page of them.

    Args:
        opened: The report.
        wanted: What is asked for. A page beyond the last is the last.
    """
    names = opened.index.names
    needles = wanted.words.lower().split()

    def passes(entry: Entry) -> bool:
        findings = _all(entry)
        said = "\n".join(statement(finding, names) for finding in findings).lower()
        return (
            (wanted.method is None or any(f.hypothesis.method == wanted.method for f in findings))
            and (wanted.category is None or any(f.hypothesis.category == wanted.category for f in findings))
            and wanted.direction in (None, entry.lead.hypothesis.direction)
            and wanted.confirmed in (None, entry.lead.confirmed)
            and all(needle in said for needle in needles)
        )

    every = opened.index.entries
    passing = [entry for entry in every if passes(entry)]
    slices: dict[str, Metrics] = {}
    if wanted.domain is not None:
        slices = {entry.lead.hypothesis.id: sliced(opened, entry.lead, wanted.domain) for entry in passing}
        passing = [entry for entry in passing if _decided(slices[entry.lead.hypothesis.id])]
    passing.sort(key=lambda entry: _rank(entry.lead, wanted.sort))  # stable: ties stay in the list's order
    page = min(max(wanted.page, 0), max(-(-len(passing) // PER_PAGE) - 1, 0))
    shown = tuple(passing[page * PER_PAGE : (page + 1) * PER_PAGE])
    return Chosen(shown, page, len(passing), len(every), slices)


def page_of_entry(opened: Opened, hypothesis_id: str) -> int:
    """On which page of the unfiltered list an entry with this finding stands."""
    for place, entry in enumerate(opened.index.entries):
        if any(finding.hypothesis.id == hypothesis_id for finding in _all(entry)):
            return place // PER_PAGE
    return 0


def sliced(opened: Opened, finding: Finding, domain: str) -> Metrics:
    """A finding's metrics on the held-out prompts of one domain.

    Args:
        opened: The report.
        finding: One of its findings.
        domain: Which prompts.
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
