"""What the page says, worked out of a report: rows, shares, examples. Knows no markup and no file."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from diffing import metrics
from diffing.outputs.examples import SHOWN, Example, Group, examples
from diffing.outputs.figures import reach_of
from diffing.outputs.html.judge_checks import CheckView, checks_of
from diffing.outputs.phrasing import needs_examples, pieces, sentence
from diffing.report.grouped_list import Member
from diffing.report.index import ReportIndex, index_of
from diffing.report.model_names import Names
from diffing.types import Finding, Metrics, Prompt, Report, Side

RESPONSE_BUDGET = 3_000_000
"""Characters of responses in one page; this keeps pages of ordinary text under 5 MB."""
LONGEST, SHORTEST = 6_000, 400
"""Characters of one response: as many as the budget allows between these."""
DOMAIN_ROWS, DOMAIN_COLUMNS = 30, 24
"""Entries, the first of the merged list, and domains, the most frequent, in the table of domains."""
CLAIMS = 4
"""Confirmed findings named at the top, per model."""
TURNS, TURN_LENGTH, VALUE_LENGTH = 3, 2_000, 2_000
"""Messages of a prompt, the last ones; characters of each; characters of a setting."""
TINY = 10
"""Slices of fewer verdicts are greyed."""


@dataclass(frozen=True, slots=True)
class FindingView:
    """One finding as the page shows it."""

    number: int
    """From 1, in the order of the merged list, its leads first."""
    finding: Finding
    """All of it."""
    pieces: tuple[tuple[str, Side | None], ...]
    """See `words.pieces`."""
    sentence: str
    """See `words.sentence`."""
    examples: Mapping[Group, tuple[Example, ...]]
    """The pairs shown."""
    counts: Mapping[Group, int]
    """Verdicts of each kind, on both splits."""
    unreadable: int
    """Verdicts that could not be read, on both splits."""


@dataclass(frozen=True, slots=True)
class EntryView:
    """One entry of the merged list as the page shows it."""

    lead: FindingView
    """What speaks for all."""
    members: tuple[tuple[Member, FindingView], ...]
    """The others, with how they are known to say the same."""

    def among(self, field: str) -> tuple[str, ...]:
        """The methods or categories of all its findings, each once, by name."""
        views = (self.lead, *(view for _, view in self.members))
        return tuple(sorted({getattr(view.finding.hypothesis, field) for view in views}))


@dataclass(frozen=True, slots=True)
class DomainRow:
    """One finding's net differences by domain."""

    view: FindingView
    """The finding."""
    cells: tuple[Metrics | None, ...]
    """Per domain, on held-out prompts; None where there are none."""


@dataclass(frozen=True, slots=True)
class Domains:
    """The table of net differences by domain."""

    shown: tuple[tuple[str, int], ...]
    """The most frequent domains with their numbers of held-out prompts, by name."""
    total: int
    """All domains of held-out prompts."""
    rows: tuple[DomainRow, ...]
    """The first findings by domain; none where no prompt has a domain."""


@dataclass(frozen=True, slots=True)
class Page:
    """All that the template shows but the report's own fields."""

    names: Names
    """Of the two models."""
    entries: tuple[EntryView, ...]
    """The merged list in its order."""
    findings: tuple[FindingView, ...]
    """All findings, by their numbers."""
    domains: Domains
    """The table of domains."""
    reach: float
    """The largest net difference at an interval's end, for small pictures on one scale; never 0."""
    checks: tuple[CheckView, ...]
    """Of the judge."""

    def claims(self, side: Side) -> tuple[FindingView, ...]:
        """The strongest confirmed findings of one side."""
        leads = (entry.lead for entry in self.entries)
        of_side = [v for v in leads if v.finding.confirmed and v.finding.hypothesis.direction == side]
        of_side.sort(key=lambda v: needs_examples(v.finding))
        return tuple(of_side[:CLAIMS])


def page_of(report: Report, *, brief: bool = False) -> Page:
    """The page's data.

    Args:
        report: What is shown.
        brief: Without examples and domains, which take long to choose in a report of many prompts.
    """
    index = index_of(report)
    longest = RESPONSE_BUDGET // (2 * sum(SHOWN.values()) * max(len(report.findings), 1))
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
    """The table of domains.

    Args:
        report: What is shown.
        views: The merged list's leads in its order; the first are shown.
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
