"""Collects what is at the top of a report's page: its statements, a pair that illustrates the first, the coverage."""

from dataclasses import dataclass

from diffing.outputs.claims import Piece, claim, expectation, headline_leads, sure_in_words
from diffing.outputs.coverage_words import coverage_of_report, explained_interval, explained_share
from diffing.outputs.html.shown_pair import ShownPair, shown_pair
from diffing.outputs.phrasing import with_curly_quotes
from diffing.report.index import ReportIndex, index_of
from diffing.types import Finding, Report


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement of the headline."""

    number: int
    """The number of its finding."""
    finding: Finding
    """The finding."""
    pieces: tuple[Piece, ...]
    """The statement in pieces, as `claims.claim` returns it."""
    sure: str | None
    """How sure it is."""
    expected: str
    """What to expect of new prompts."""


@dataclass(frozen=True, slots=True)
class CoverageView:
    """How much of what tells the two models apart the list explains."""

    words: str
    """The coverage in full sentences."""
    share: float | None
    """The share that the list explains; None if it is undefined."""
    interval: str | None
    """Its interval, such as "59 to 100%"."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What stands at the top of the page."""

    report: Report
    """The report."""
    claims: tuple[Claim, ...]
    """The statements; empty if nothing is confirmed."""
    pair: ShownPair | None
    """A held-out pair that shows the first statement."""
    coverage: CoverageView | None
    """The coverage; None if it was not computed."""
    identical: int
    """The number of prompts to which both models gave the same answer."""


def answer_of(report: Report) -> Answer:
    """Collects the answer of a report.

    Args:
        report: The report to show.
    """
    index, leads = index_of(report), headline_leads(report)
    return Answer(
        report=report,
        claims=tuple(claim_of(finding, index) for finding in leads),
        pair=shown_pair(leads[0], index) if leads else None,
        coverage=_coverage(index),
        identical=sum(pair.a.text == pair.b.text for pair in report.pairs),
    )


def claim_of(finding: Finding, index: ReportIndex) -> Claim:
    """Returns the statement of a confirmed finding."""
    said = tuple((with_curly_quotes(finding, text), style) for text, style in claim(finding, index.names))
    return Claim(
        index.numbers[finding.hypothesis.id], finding, said, sure_in_words(finding), expectation(finding, index.names)
    )


def _coverage(index: ReportIndex) -> CoverageView | None:
    coverage = index.report.coverage
    if coverage is None:
        return None
    words = coverage_of_report(index.report, index.names)
    return CoverageView(words, explained_share(coverage), explained_interval(coverage))
