"""Groups the prompts of a report by kind, and counts a finding's held-out verdicts on each.

What is shown of one kind is exploratory: no single kind is tested.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from diffing.outputs.behaviour_words import NO_ONE_PLACE, place_label, scope_of
from diffing.prompts.bundled_set import kind_of
from diffing.report.index import ReportIndex
from diffing.report.run_pairs import pairs_of_run
from diffing.types import Finding, Side, Verdict, other_side

MOST_KINDS, FEWEST_KINDS = 8, 6
"""Maximum number of kinds, and the number down to which kinds with few prompts are merged with others."""
FEW_VERDICTS = 10
"""For fewer verdicts than this no rate is given."""
OTHERS = "everything else"
"""The name of the kinds that are merged, and of prompts without a domain."""


@dataclass(frozen=True, slots=True)
class PromptKind:
    """Prompts of one kind: of one domain, or of several domains of one kind."""

    name: str
    """Its name: `advice` for `advice: health` and `advice: law`; else that of the domain."""
    domains: frozenset[str | None]
    """The domains that belong to it; None stands for prompts without a domain."""
    heldout: int
    """The number of held-out prompts."""


Place: TypeAlias = PromptKind | str
"""A kind of prompt, or the label of the scope of a difference."""


@dataclass(frozen=True, slots=True)
class KindCounts:
    """A finding's verdicts on the held-out prompts of one kind."""

    n: int
    """The number of readable verdicts."""
    k_for: int
    """The number of verdicts for the model that the finding speaks of."""
    k_against: int
    """The number of verdicts for the other model."""

    @property
    def net(self) -> float | None:
        """The net difference; None for fewer verdicts than `FEW_VERDICTS`."""
        return (self.k_for - self.k_against) / self.n if self.n >= FEW_VERDICTS else None


def kinds_of(index: ReportIndex) -> tuple[PromptKind, ...]:
    """Returns the kinds of a report's prompts in alphabetical order, the smallest merged into one at the end.

    Kinds in which a difference of the list is concentrated are merged last.

    Args:
        index: The index of the report.

    Returns:
        Up to `MOST_KINDS` kinds; none if all prompts are of one kind, or none has a domain.
    """
    pairs = pairs_of_run(index.report)
    counts: Counter[str | None] = Counter(p.prompt.domain for p in pairs if p.prompt.split == "heldout")
    sizes: Counter[str] = Counter()
    members: dict[str, set[str | None]] = {}
    for domain, count in counts.items():
        if domain is not None:
            sizes[_name(domain)] += count
            members.setdefault(_name(domain), set()).add(domain)
    own = _with_own_column(sizes, _named_in_scopes(index))
    named = [PromptKind(name, frozenset(members[name]), sizes[name]) for name in sorted(own)]
    rest = {domain for domain in counts if domain is None or _name(domain) not in own}
    if rest:
        named.append(PromptKind(OTHERS, frozenset(rest), sum(counts[domain] for domain in rest)))
    return tuple(named) if len(named) > 1 and own else ()


def places_of(index: ReportIndex, kinds: Sequence[PromptKind]) -> tuple[Place, ...]:
    """Returns the places to choose from: the kinds of prompts, and where lines of the list are concentrated.

    Args:
        index: The index of the report.
        kinds: The kinds of its prompts.
    """
    labels = dict.fromkeys(place_label(entry.lead) or NO_ONE_PLACE for entry in index.differences)
    named = {kind.name for kind in kinds}
    scopes = tuple(label for label in labels if label not in named)
    return (*kinds, *scopes) if len(labels) > 1 else tuple(kinds)


def place_name(place: Place) -> str:
    """Returns the name of a place."""
    return place if isinstance(place, str) else place.name


def shows_in(finding: Finding, place: Place, index: ReportIndex) -> bool:
    """Whether a finding is decided on a held-out prompt of a kind, or is concentrated in a scope of this name.

    Args:
        finding: The finding.
        place: The kind of prompt, or the label of a scope.
        index: The index of the report.
    """
    if isinstance(place, str):
        return (place_label(finding) or NO_ONE_PLACE) == place
    (counts,) = counts_by_kind(finding, [place], index)
    return counts.k_for + counts.k_against > 0


def counts_by_kind(finding: Finding, kinds: Sequence[PromptKind], index: ReportIndex) -> tuple[KindCounts, ...]:
    """Counts a finding's verdicts on the held-out prompts of each kind.

    Args:
        finding: The finding.
        kinds: The kinds.
        index: The index of the report.
    """
    import numpy as np

    verdicts = index.verdicts_on(finding.hypothesis.id)
    row_of = {domain: row for row, kind in enumerate(kinds) for domain in kind.domains}
    others = len(kinds)  # the last row, for all other prompts
    row_of_code = np.array([*(row_of.get(domain, others) for domain in (*index.domains, None)), others])
    rows = row_of_code[index.domain_codes(verdicts.prompt_ids.values)][verdicts.prompt_ids.codes]
    names = verdicts.verdicts.values
    cells = np.bincount(rows * len(names) + verdicts.verdicts.codes, minlength=(others + 1) * len(names))
    table = cells.reshape(others + 1, len(names))
    return tuple(_counted(dict(zip(names, map(int, row), strict=True)), finding) for row in table[: len(kinds)])


def _name(domain: str) -> str:
    return kind_of(domain) or domain


def _named_in_scopes(index: ReportIndex) -> Mapping[str, int]:
    """The kinds that the scopes of the list name, each with the first line that does."""
    lines: dict[str, int] = {}
    for entry in index.differences:
        scope = scope_of(entry.lead)
        for term in scope.rule.terms if scope and scope.rule else ():
            if term.kind == "domain":
                lines.setdefault(_name(term.value), entry.number)
    return lines


def _with_own_column(sizes: Counter[str], lines: Mapping[str, int]) -> frozenset[str]:
    """The kinds that are not merged: those that the first lines name, and the largest."""
    ranked = sorted(sizes, key=lambda name: (lines.get(name, math.inf), -sizes[name], name))
    kept = ranked if len(ranked) <= MOST_KINDS else ranked[: MOST_KINDS - 1]
    while len(kept) > FEWEST_KINDS and sizes[kept[-1]] < FEW_VERDICTS:
        kept = kept[:-1]
    return frozenset(kept)


def _counted(counts: Mapping[Verdict, int], finding: Finding) -> KindCounts:
    of_side: Counter[Side] = Counter()
    for verdict, number in counts.items():
        if verdict.side is not None:
            of_side[verdict.side] += number
    side = finding.hypothesis.direction
    readable = sum(counts.values()) - counts.get(Verdict.UNREADABLE, 0)
    return KindCounts(readable, of_side[side], of_side[other_side(side)])
