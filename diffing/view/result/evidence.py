"""The pairs behind a finding, by verdict, filtered and in pages. Knows no markup."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from diffing.outputs.examples import Excerpt, excerpt
from diffing.types import SIDES, Finding, Judgement, Pair, Side, Split, Verdict
from diffing.view.result.report_cache import Opened

Group: TypeAlias = Literal["for", "against", "neither", "unreadable"]
GROUPS: tuple[Group, ...] = get_args(Group)
PER_PAGE = 5
"""Pairs on one page."""
LONGEST = 4_000
"""Characters of a response before a button shows more."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which pairs a visitor wants to see."""

    group: Group | None = None
    """By verdict; None is the first group that has any."""
    split: Split | None = None
    """Train or held-out only."""
    domain: str | None = None
    """One domain only."""
    words: str = ""
    """Words that must all occur in the prompt or in a response."""
    page: int = 0
    """From 0."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One pair with its verdict."""

    place: int
    """Where it stands in the report."""
    pair: Pair
    """The prompt with both responses."""
    judgement: Judgement
    """The verdict."""
    excerpts: tuple[Excerpt, Excerpt]
    """Of A and of B."""


@dataclass(frozen=True, slots=True)
class Evidences:
    """One page of a finding's pairs."""

    finding: Finding
    """What they are evidence of."""
    wanted: Wanted
    """What was asked for, with the group and the page that are shown."""
    counts: Mapping[Group, int]
    """Verdicts of each kind that pass the filters."""
    shown: tuple[Shown, ...]
    """The page's pairs: those with a quoted passage first, then held-out, then in the run's order."""
    domains: tuple[str, ...]
    """Of all the finding's pairs, by name."""

    @property
    def total(self) -> int:
        """Pairs in the group."""
        return self.counts[self.wanted.group] if self.wanted.group else 0

    @property
    def pages(self) -> int:
        """Pages of the group, at least one."""
        return max(-(-self.total // PER_PAGE), 1)


def evidence_of(opened: Opened, hypothesis_id: str, wanted: Wanted) -> Evidences:
    """One page of the pairs that were judged for a finding.

    Args:
        opened: The report.
        hypothesis_id: Whose pairs; one of the report's.
        wanted: Which of them. A page beyond the last is the last.
    """
    finding = opened.index.findings[hypothesis_id]
    judgements = opened.index.verdicts_on(hypothesis_id)
    needles = wanted.words.lower().split()
    groups: dict[Group, list[Judgement]] = {group: [] for group in GROUPS}
    for judgement in judgements:
        if _passes(opened.index.pairs[judgement.prompt_id], wanted, needles):
            groups[_group(judgement, finding.hypothesis.direction)].append(judgement)
    counts: dict[Group, int] = {group: len(found) for group, found in groups.items()}
    first: Group = next((each for each in GROUPS if counts[each]), "for")
    group = first if wanted.group is None else wanted.group
    page = min(max(wanted.page, 0), max(-(-counts[group] // PER_PAGE) - 1, 0))
    chosen = _ordered(groups[group], finding, opened.index.pairs)[page * PER_PAGE : (page + 1) * PER_PAGE]
    domains = Counter(opened.index.pairs[judgement.prompt_id].prompt.domain for judgement in judgements)
    return Evidences(
        finding=finding,
        wanted=Wanted(group, wanted.split, wanted.domain, wanted.words, page),
        counts=counts,
        shown=tuple(_shown(finding, judgement, opened) for judgement in chosen),
        domains=tuple(sorted(domain for domain in domains if domain is not None)),
    )


def _passes(pair: Pair, wanted: Wanted, needles: Sequence[str]) -> bool:
    if wanted.split is not None and pair.prompt.split != wanted.split:
        return False
    if wanted.domain is not None and pair.prompt.domain != wanted.domain:
        return False
    if not needles:
        return True
    said = "\n".join((*(message.content for message in pair.prompt.messages), pair.a.text, pair.b.text)).lower()
    return all(needle in said for needle in needles)


def _group(judgement: Judgement, direction: Side) -> Group:
    if judgement.verdict is Verdict.UNREADABLE:
        return "unreadable"
    side = judgement.verdict.side
    return "neither" if side is None else "for" if side == direction else "against"


def _ordered(judgements: Sequence[Judgement], finding: Finding, pairs: Mapping[str, Pair]) -> list[Judgement]:
    quoted = {evidence.prompt_id for evidence in finding.hypothesis.evidence}

    def rank(judgement: Judgement) -> tuple[bool, bool]:
        return judgement.prompt_id not in quoted, pairs[judgement.prompt_id].prompt.split != "heldout"

    return sorted(judgements, key=rank)  # stable: else the run's order


def _shown(finding: Finding, judgement: Judgement, opened: Opened) -> Shown:
    pair = opened.index.pairs[judgement.prompt_id]

    def of(side: Side) -> Excerpt:
        quotes = [e.quote for e in finding.hypothesis.evidence if e.prompt_id == pair.prompt.id and e.side == side]
        return excerpt(pair.response(side), quotes, LONGEST)

    a, b = (of(side) for side in SIDES)
    return Shown(opened.index.places[judgement.prompt_id], pair, judgement, (a, b))
