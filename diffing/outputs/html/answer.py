"""Collects what is at the top of a report's page: its statements, pairs that illustrate the first, the coverage."""

from dataclasses import dataclass

from diffing.outputs.claims import Piece, chance_in_words, claim, expectation, headline_leads, sure_in_words
from diffing.outputs.coverage_words import (
    coverage_in_short,
    coverage_of_report,
    explained_interval,
    explained_share,
)
from diffing.outputs.html.shown_pairs import ShownPairs, shown_pairs
from diffing.outputs.line_words import where_it_holds
from diffing.report.index import ReportIndex, index_of
from diffing.types import Finding, Report


@dataclass(frozen=True, slots=True)
class HeadlineClaim:
    """One statement of the headline."""

    number: int
    """The number of its finding."""
    finding: Finding
    """The finding."""
    pieces: tuple[Piece, ...]
    """The statement in pieces, as `claims.claim` returns it."""
    where: str
    """For which prompts it is claimed."""
    sure: str | None
    """How sure it is."""
    chance: str | None
    """What this degree of sureness means."""
    expected: str
    """What to expect of new prompts."""


@dataclass(frozen=True, slots=True)
class CoverageView:
    """How much of what tells the two models apart the list explains."""

    words: str
    """The coverage in full sentences."""
    short: str
    """The same in short, for where no share is shown."""
    share: float | None
    """The share that the list explains; None if it is undefined, or if it is all that was measured."""
    interval: str | None
    """Its interval, such as "59 to 100%"."""


@dataclass(frozen=True, slots=True)
class PageAnswer:
    """What stands at the top of the page."""

    report: Report
    """The report."""
    claims: tuple[HeadlineClaim, ...]
    """The statements; empty if nothing is confirmed."""
    shown: ShownPairs | None
    """Held-out pairs that show the first statement."""
    coverage: CoverageView | None
    """The coverage; None if it was not computed."""
    identical: int
    """The number of prompts to which both models gave the same answer."""
    differences: int
    """The number of confirmed differences, of which `claims` are the first."""


def answer_of(report: Report) -> PageAnswer:
    """Collects the answer of a report.

    Args:
        report: The report to show.
    """
    index, leads = index_of(report), headline_leads(report)
    return PageAnswer(
        report=report,
        claims=tuple(claim_of(finding, index) for finding in leads),
        shown=shown_pairs(leads[0], index) if leads else None,
        coverage=_coverage(index),
        identical=sum(pair.a.text == pair.b.text for pair in report.pairs),
        differences=len(index.differences),
    )


def claim_of(finding: Finding, index: ReportIndex) -> HeadlineClaim:
    """Returns the statement of a confirmed finding, with short names of the models."""
    names = index.names.brief
    return HeadlineClaim(
        number=index.numbers[finding.hypothesis.id],
        finding=finding,
        pieces=claim(finding, names),
        where=where_it_holds(finding, names),
        sure=sure_in_words(finding),
        chance=chance_in_words(finding),
        expected=expectation(finding, names),
    )


def _coverage(index: ReportIndex) -> CoverageView | None:
    coverage = index.report.coverage
    if coverage is None:
        return None
    words = coverage_of_report(index.report, index.names)
    short = coverage_in_short(coverage, index.names.brief)
    share = explained_share(coverage)
    return CoverageView(words, short, None if share == 1 else share, explained_interval(coverage))
