"""Collects the data that the HTML page of a report shows: entries, examples, claims and the table of domains.

The templates turn it into markup.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from diffing import metrics
from diffing.estimates import Metrics
from diffing.outputs.examples import EXAMPLES_SHOWN, Group, PairExample, examples
from diffing.outputs.figures import reach_of
from diffing.outputs.finding_results import sentence
from diffing.outputs.html.judge_checks import CheckView, checks_of
from diffing.outputs.phrasing import needs_examples, pieces
from diffing.report.grouped_list import Member
from diffing.report.index import ReportIndex, index_of
from diffing.report.model_names import Names
from diffing.report.verdict_counts import NeitherCounts
from diffing.types import Finding, Prompt, Report, Side, Split

RESPONSE_BUDGET = 3_000_000
"""Number of characters of responses in one page; this keeps pages of ordinary text under 5 MB."""
LONGEST, SHORTEST = 6_000, 400
"""Largest and smallest number of characters of one response; the budget decides between them."""
DOMAIN_ROWS, DOMAIN_COLUMNS = 30, 24
"""Maximum number of entries (the first ones) and of domains (the most frequent ones) in the table of domains."""
CLAIMS = 4
"""Maximum number of confirmed findings per model at the top of the page."""
TURNS, TURN_LENGTH, VALUE_LENGTH = 3, 2_000, 2_000
"""Maximum number of messages of a prompt (the last ones), of characters per message, and of characters of a setting."""
TINY = 10
"""Domains with fewer verdicts than this are greyed out."""


@dataclass(frozen=True, slots=True)
class FindingView:
    """One finding as the page shows it."""

    number: int
    """Its number from 1: the leads of all entries first, then the other members."""
    finding: Finding
    """The finding itself."""
    pieces: tuple[tuple[str, Side | None], ...]
    """Its hypothesis as `phrasing.pieces` splits it."""
    sentence: str
    """Its result in words, from `finding_results.sentence`."""
    examples: Mapping[Group, tuple[PairExample, ...]]
    """The example pairs by kind of verdict."""
    counts: Mapping[Group, int]
    """The number of verdicts of each kind, on both splits together."""
    unreadable: int
    """The number of unreadable verdicts, on both splits together."""
    reasons: Mapping[Split, NeitherCounts]
    """The number of verdicts for neither side by their reason, where it is known; per split."""

    @property
    def counted(self) -> str:
        """All counts in words, such as "14 for, 2 against, 31 neither"; both splits together."""
        known = self.reasons["train"] + self.reasons["heldout"]
        unknown = self.counts["neither"] - known.total
        shown = (
            (self.counts["for"], "for", True),
            (self.counts["against"], "against", True),
            (known.same, "both alike", False),
            (known.not_shown, "not shown", False),
            (known.outside, "outside its scope", False),
            (unknown, "neither", not known.total),
            (self.unreadable, "unreadable", False),
        )
        return ", ".join(f"{number} {name}" for number, name, always in shown if always or number > 0)


@dataclass(frozen=True, slots=True)
class EntryView:
    """One entry of the grouped list as the page shows it: findings that say the same."""

    lead: FindingView
    """The finding that represents the entry."""
    members: tuple[tuple[Member, FindingView], ...]
    """The other findings, each with the evidence that it says the same."""

    def among(self, field: str) -> tuple[str, ...]:
        """Returns the distinct values of a hypothesis field, `method` or `category`, over all its findings."""
        views = (self.lead, *(view for _, view in self.members))
        return tuple(sorted({getattr(view.finding.hypothesis, field) for view in views}))


@dataclass(frozen=True, slots=True)
class DomainRow:
    """One finding's net differences by domain."""

    view: FindingView
    """The finding."""
    cells: tuple[Metrics | None, ...]
    """Its metrics on the held-out prompts of each domain; None if a domain has none."""


@dataclass(frozen=True, slots=True)
class Domains:
    """The table of net differences by domain."""

    shown: tuple[tuple[str, int], ...]
    """The most frequent domains in alphabetical order, each with its number of held-out prompts."""
    total: int
    """The number of all domains of held-out prompts."""
    rows: tuple[DomainRow, ...]
    """One row per finding, for the first findings; empty if no prompt has a domain."""


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that the template shows in addition to the report's own fields."""

    names: Names
    """The short names of the two models."""
    entries: tuple[EntryView, ...]
    """The grouped list of findings in its order."""
    findings: tuple[FindingView, ...]
    """All findings, by their numbers."""
    domains: Domains
    """The table of domains."""
    reach: float
    """The largest absolute end of any interval, so that all small pictures share one scale; never 0."""
    checks: tuple[CheckView, ...]
    """The checks of the judge."""

    @property
    def tells_apart(self) -> bool:
        """Whether the reason of any verdict for neither side is known."""
        return any(reasons.total for view in self.findings for reasons in view.reasons.values())

    def claims(self, side: Side) -> tuple[FindingView, ...]:
        """Returns the strongest confirmed findings of one side."""
        leads = (entry.lead for entry in self.entries)
        of_side = [v for v in leads if v.finding.confirmed and v.finding.hypothesis.direction == side]
        of_side.sort(key=lambda v: needs_examples(v.finding))
        return tuple(of_side[:CLAIMS])


def page_of(report: Report, *, brief: bool = False) -> Page:
    """Collects the data of a report's page.

    Args:
        report: The report to show.
        brief: Leaves out examples and domains, which take long to choose in a report with many prompts.
    """
    index = index_of(report)
    longest = RESPONSE_BUDGET // (2 * sum(EXAMPLES_SHOWN.values()) * max(len(report.findings), 1))
    longest = min(max(longest, SHORTEST), LONGEST)

    def view(number: int, finding: Finding) -> FindingView:
        return FindingView(
            number=number,
            finding=finding,
            pieces=tuple(pieces(finding)),
            sentence=sentence(finding, index.names),
            examples={} if brief else examples(finding, index.verdicts_on(finding.hypothesis.id), index.pairs, longest),
            counts=_counts(finding),
            unreadable=finding.train.unreadable + finding.heldout.unreadable,
            reasons={split: index.neither(finding.hypothesis.id, split) for split in ("train", "heldout")},
        )

    entries = tuple(
        EntryView(
            view(entry.number, entry.lead), tuple((each, view(each.number, each.finding)) for each in entry.members)
        )
        for entry in index.entries
    )
    views = (*(entry.lead for entry in entries), *(one for entry in entries for _, one in entry.members))
    return Page(
        names=index.names,
        entries=entries,
        findings=views,
        domains=Domains((), 0, ()) if brief else domains_of(report, views[: len(entries)]),
        reach=reach_of(report.findings),
        checks=checks_of(report),
    )


def domains_of(report: Report, views: Sequence[FindingView]) -> Domains:
    """Builds the table of net differences by domain.

    Args:
        report: The report to show.
        views: The leads of the grouped list in its order; the table shows the first ones.
    """
    heldout = [pair.prompt for pair in report.pairs if pair.prompt.split == "heldout"]
    counts = Counter(prompt.domain for prompt in heldout if prompt.domain is not None)
    shown = tuple(sorted(counts.most_common(DOMAIN_COLUMNS)))
    sliced = {prompt.id: prompt for prompt in heldout if prompt.domain in dict(shown)}
    rows = tuple(_domain_row(view, index_of(report), sliced, shown) for view in views[:DOMAIN_ROWS]) if shown else ()
    return Domains(shown, len(counts), rows)


def _counts(finding: Finding) -> dict[Group, int]:
    both = (finding.train, finding.heldout)
    return {
        "for": sum(split.k_for for split in both),
        "against": sum(split.k_against for split in both),
        "neither": sum(split.k_neither for split in both),
    }


def _domain_row(
    view: FindingView,
    index: ReportIndex,
    sliced: Mapping[str, Prompt],
    domains: Sequence[tuple[str, int]],
) -> DomainRow:
    hypothesis = view.finding.hypothesis
    judgements = [j for j in index.verdicts_on(hypothesis.id) if j.prompt_id in sliced]
    slices = metrics.slices(judgements, sliced.values(), hypothesis.direction)
    return DomainRow(view, tuple(slices.get(domain) for domain, _ in domains))
