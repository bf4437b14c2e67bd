"""Returns one page of the response pairs behind a finding, filtered, and grouped by the judge's verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from diffing.outputs.examples import Excerpt, excerpt
from diffing.outputs.marks import spans_that_show
from diffing.outputs.prompt_kinds import PromptKind
from diffing.types import SIDES, Finding, Judgement, Pair, Side, Split, Verdict
from diffing.view.result.report_cache import OpenedReport

Group: TypeAlias = Literal["for", "against", "same", "not_shown", "neither", "outside", "unreadable"]
GROUPS: tuple[Group, ...] = get_args(Group)
_NEITHER: Mapping[Verdict, Group] = {
    Verdict.SAME: "same",
    Verdict.NOT_SHOWN: "not_shown",
    Verdict.NEITHER: "neither",
}
"""The groups of verdicts for neither side, on prompts in the scope."""
PER_PAGE = 5
"""Number of pairs on one page, if nothing else is asked for."""
LONGEST = 4_000
"""Maximum number of characters of a response that are shown without a click."""


@dataclass(frozen=True, slots=True)
class EvidenceFilter:
    """Which pairs a visitor wants to see."""

    group: Group | None = None
    """The verdict group; None means the first that is not empty."""
    split: Split | None = None
    """Only train or only held-out prompts."""
    kind: PromptKind | None = None
    """Only prompts of this kind."""
    words: str = ""
    """Words that must all occur in the prompt or in a response."""
    page: int = 0
    """The index of the page, from 0."""


@dataclass(frozen=True, slots=True)
class JudgedPair:
    """One pair with its verdict."""

    place: int
    """Its index in the report."""
    pair: Pair
    """The prompt with both responses."""
    judgement: Judgement
    """The verdict."""
    excerpts: tuple[Excerpt, Excerpt]
    """Excerpts of the responses of A and B."""


@dataclass(frozen=True, slots=True)
class FindingEvidence:
    """One page of a finding's pairs."""

    finding: Finding
    """The finding."""
    filters: EvidenceFilter
    """The filter, with the group and the page that are actually shown."""
    counts: Mapping[Group, int]
    """Number of pairs per verdict group that pass the filter."""
    pairs: tuple[JudgedPair, ...]
    """The page's pairs: held-out ones first, and quoted ones within each split; then in the run's order."""
    per_page: int
    """The number of pairs on one page."""

    @property
    def groups(self) -> tuple[Group, ...]:
        """The groups to choose from: `for` and `against`, the one shown, and all others that have pairs."""
        always = ("for", "against", self.filters.group)
        return tuple(group for group in GROUPS if group in always or self.counts[group])

    @property
    def total(self) -> int:
        """Number of pairs in the group."""
        return self.counts[self.filters.group] if self.filters.group else 0

    @property
    def pages(self) -> int:
        """Number of pages of the group, at least one."""
        return max(-(-self.total // self.per_page), 1)


def evidence_of(
    opened: OpenedReport, hypothesis_id: str, filters: EvidenceFilter, per_page: int = PER_PAGE
) -> FindingEvidence:
    """One page of the pairs that were judged for a finding.

    Args:
        opened: The report.
        hypothesis_id: The finding's hypothesis id; it must be in the report.
        filters: The filter. After the last page comes the last page again.
        per_page: The number of pairs on one page.
    """
    finding = opened.index.findings[hypothesis_id]
    judgements = opened.index.verdicts_on(hypothesis_id)
    needles = filters.words.lower().split()
    groups: dict[Group, list[Judgement]] = {group: [] for group in GROUPS}
    for judgement in judgements:
        if _passes(opened.index.pairs[judgement.prompt_id], filters, needles):
            groups[_group(judgement, finding.hypothesis.direction)].append(judgement)
    counts: dict[Group, int] = {group: len(found) for group, found in groups.items()}
    first: Group = next((each for each in GROUPS if counts[each]), "for")
    group = first if filters.group is None else filters.group
    page = min(max(filters.page, 0), max(-(-counts[group] // per_page) - 1, 0))
    chosen = _ordered(groups[group], finding, opened.index.pairs)[page * per_page : (page + 1) * per_page]
    return FindingEvidence(
        finding=finding,
        filters=EvidenceFilter(group, filters.split, filters.kind, filters.words, page),
        counts=counts,
        pairs=tuple(_judged_pair(finding, judgement, opened) for judgement in chosen),
        per_page=per_page,
    )


def _passes(pair: Pair, filters: EvidenceFilter, needles: Sequence[str]) -> bool:
    if filters.split is not None and pair.prompt.split != filters.split:
        return False
    if filters.kind is not None and pair.prompt.domain not in filters.kind.domains:
        return False
    if not needles:
        return True
    said = "\n".join((*(message.content for message in pair.prompt.messages), pair.a.text, pair.b.text)).lower()
    return all(needle in said for needle in needles)


def _group(judgement: Judgement, direction: Side) -> Group:
    side = judgement.verdict.side
    if side is not None:
        return "for" if side == direction else "against"
    if judgement.verdict is Verdict.UNREADABLE:
        return "unreadable"
    return _NEITHER[judgement.verdict] if judgement.in_scope else "outside"


def _ordered(judgements: Sequence[Judgement], finding: Finding, pairs: Mapping[str, Pair]) -> list[Judgement]:
    quoted = {evidence.prompt_id for evidence in finding.hypothesis.evidence}

    def rank(judgement: Judgement) -> tuple[bool, bool]:
        return pairs[judgement.prompt_id].prompt.split != "heldout", judgement.prompt_id not in quoted

    return sorted(judgements, key=rank)  # stable: ties keep the run's order


def _judged_pair(finding: Finding, judgement: Judgement, opened: OpenedReport) -> JudgedPair:
    pair = opened.index.pairs[judgement.prompt_id]

    def of(side: Side) -> Excerpt:
        quotes = [e.quote for e in finding.hypothesis.evidence if e.prompt_id == pair.prompt.id and e.side == side]
        return excerpt(pair.response(side), quotes, LONGEST, spans_that_show(finding, pair, side))

    a, b = (of(side) for side in SIDES)
    return JudgedPair(opened.index.places[judgement.prompt_id], pair, judgement, (a, b))
