"""Groups the findings of all methods into one list, in which findings that say the same share an entry.

That two hypotheses say the same needs both that they mean the same and that they behave alike, on train pairs:

- `property`: both speak of the same measured property, and give the same verdict on most pairs (80%). With less, one
  may be about a part of the other ("lists", "lists in code"), which an LLM can tell.
- `judge`: an LLM says so in two readings of the list of all sentences, and the verdicts bear it out. If one sentence
  only adds a condition or a degree, the verdicts must be the same on most pairs (80%). Sentences that speak of
  different measured properties never merge.
- `verdicts`: for what has no meaning beyond where it occurs (a phrase, a bare feature), nearly the same verdicts, and
  clearly fewer the same with any other sentence.

Verdicts alone never merge two sentences: "uses lists" and "writes longer" may well hold in the same pairs. Where too
few train pairs are decided by both sentences, their agreement is undefined: they stay apart, whatever the LLM says, and
a note tells how many they are. Every member says the same as the lead itself, so no chain of small steps ends somewhere
else. Held-out verdicts decide nothing here but which finding leads (confirmed before not): where an entry has several
confirmed findings the train pairs choose, so that the size shown is not the luckiest of several.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, TypeAlias

from diffing.grouping.by_behaviour import BehaviourGroups, group_by_behaviour
from diffing.grouping.same_statements import Pairs, ask_same
from diffing.grouping.verdict_agreement import RARE, SignedVerdicts, VerdictLikeness
from diffing.models.base import Model
from diffing.ranking import FEATURE, kind_of, tie_of
from diffing.types import (
    FeatureMeasure,
    Finding,
    Hypothesis,
    Judgement,
    LatentMeasure,
    Merged,
    OnProgress,
    Pair,
    PhraseMeasure,
    PropertyMeasure,
    Usage,
    ignore_progress,
)

__all__ = ["BehaviourGroups", "MergingResult", "SignedVerdicts", "VerdictLikeness", "group_by_behaviour", "merge"]

CLEARLY = 0.05
"""What has no meaning of its own joins what it fits best only where it agrees so much less with the next: where a model
praises and so writes more sentences, verdicts do not say which of the two a phrase is about."""
KnownBy: TypeAlias = Literal["property", "judge", "verdicts"]
_STRENGTH: dict[KnownBy, int] = {"property": 0, "judge": 1, "verdicts": 2}


@dataclass(frozen=True, slots=True)
class MergingResult:
    """The merged list, and what it took."""

    entries: tuple[Merged, ...]
    """In the order of their leads: confirmed first, sentences before bare features, then as the findings."""
    usage: tuple[Usage, ...] = ()
    """Questions to the LLM, where any were asked."""
    notes: tuple[str, ...] = ()
    """Full sentences for the reader of the report."""


def merge(
    findings: Sequence[Finding],
    judgements: Sequence[Judgement],
    pairs: Sequence[Pair],
    *,
    judge: Model | None = None,
    on_progress: OnProgress = ignore_progress,
) -> MergingResult:
    """Merges findings that say the same, see above.

    Args:
        findings: Of all methods, in the report's order.
        judgements: Their verdicts; only those on train pairs are looked at, and not every hypothesis needs them all.
        pairs: Train and held-out.
        judge: An LLM to ask whether two sentences mean the same; without one, sentences merge by property alone.
        on_progress: Told of every answer.

    Raises:
        ModelError: The LLM cannot be used at all.
        LimitError: A hard limit of calls or dollars was reached.
    """
    hypotheses = [finding.hypothesis for finding in sorted(findings, key=_lead_rank)]
    behaviour = SignedVerdicts(hypotheses, judgements, pairs)
    known = _known(hypotheses, behaviour)
    usage: tuple[Usage, ...] = ()
    said: Pairs = {}
    if judge is not None and (asked_about := _worth_asking(hypotheses, behaviour, known)):
        pairs_said, asked = ask_same(judge, [hypotheses[i] for i in asked_about], on_progress)
        said = {(asked_about[i], asked_about[j]): relation for (i, j), relation in pairs_said.items()}
        usage = (asked,)
    known |= _borne_out(said, hypotheses, behaviour, known)
    members = _groups(hypotheses, known, behaviour)
    entries = {hypotheses[lead].id: _entry(lead, members[lead], known, hypotheses, behaviour) for lead in members}
    ranked = sorted(findings, key=lambda finding: (not finding.confirmed, kind_of(finding.hypothesis) == FEATURE))
    ordered = tuple(entries[f.hypothesis.id] for f in ranked if f.hypothesis.id in entries)
    return MergingResult(ordered, usage, _notes(said, members, behaviour))


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What is known of a hypothesis beside its verdicts."""

    measured: str | None
    """The measured property it speaks of."""
    bare: bool
    """Says only where something occurs, a phrase or a feature."""


def _meaning(hypothesis: Hypothesis) -> _Meaning:
    match hypothesis.measure:
        case None:
            return _Meaning(hypothesis.speaks_of, False)
        case PropertyMeasure(name):
            return _Meaning(name, False)
        case PhraseMeasure():
            return _Meaning(None, True)
        case LatentMeasure(in_words=in_words) | FeatureMeasure(in_words=in_words):
            return _Meaning(None, not in_words)


def _lead_rank(finding: Finding) -> tuple[object, ...]:
    """Who leads: confirmed, then what a person understands, then the larger difference on train."""
    low = finding.train.net_difference.low
    return not finding.confirmed, kind_of(finding.hypothesis), -low if low is not None else 2.0, tie_of(finding)


_Known: TypeAlias = dict[tuple[int, int], KnownBy]


def _known(hypotheses: Sequence[Hypothesis], behaviour: SignedVerdicts) -> _Known:
    """What is known without asking: (i, j) with i < j."""
    meanings = [_meaning(hypothesis) for hypothesis in hypotheses]
    known: _Known = {}
    for j, two in enumerate(meanings):
        for i, one in enumerate(meanings[:j]):
            if one.bare or two.bare:
                if behaviour.like(i, j).same_verdicts:
                    known[i, j] = "verdicts"
            elif one.measured and one.measured == two.measured:
                like = behaviour.like(i, j)
                if like.bears_out and like.mostly_same:
                    known[i, j] = "property"
    return known


def _may_be_same(i: int, j: int, hypotheses: Sequence[Hypothesis], behaviour: SignedVerdicts) -> bool:
    """Whether an LLM could say that two sentences mean the same, by what they measure and by their verdicts."""
    measured = {_meaning(hypotheses[each]).measured for each in (i, j)} - {None}
    return len(measured) < 2 and not behaviour.like(i, j).contradicts


def _worth_asking(hypotheses: Sequence[Hypothesis], behaviour: SignedVerdicts, known: _Known) -> list[int]:
    """The sentences that may mean the same as at least one other, of which this is not known yet."""
    worded = [i for i, hypothesis in enumerate(hypotheses) if not _meaning(hypothesis).bare]
    open_pairs = [
        (i, j) for i, j in combinations(worded, 2) if (i, j) not in known and _may_be_same(i, j, hypotheses, behaviour)
    ]
    return sorted({i for pair in open_pairs for i in pair})


def _borne_out(said: Pairs, hypotheses: Sequence[Hypothesis], behaviour: SignedVerdicts, known: _Known) -> _Known:
    """What the LLM says, as far as the verdicts bear it out."""
    found: _Known = {}
    for (i, j), relation in said.items():
        like = behaviour.like(i, j)
        enough = like.bears_out and (relation == "same" or like.mostly_same)
        if enough and (i, j) not in known and _may_be_same(i, j, hypotheses, behaviour):
            found[i, j] = "judge"
    return found


def _notes(said: Pairs, members: Mapping[int, Sequence[int]], behaviour: SignedVerdicts) -> tuple[str, ...]:
    """Tells of sentences that the LLM takes for the same, but that could not be compared by their verdicts."""
    lead_of = {each: lead for lead, others in members.items() for each in (lead, *others)}
    apart = {pair for pair in said if lead_of[pair[0]] != lead_of[pair[1]] and behaviour.like(*pair).too_few}
    if not apart:
        return ()
    count = f"{len(apart)} pairs" if len(apart) > 1 else "1 pair"
    return (
        f"The judge says that {count} of hypotheses say the same, but both decide fewer than {RARE} train pairs "
        "together, which is too few to check it. They are listed apart.",
    )


def _groups(hypotheses: Sequence[Hypothesis], known: _Known, behaviour: SignedVerdicts) -> dict[int, list[int]]:
    """Per lead its members: whoever says the same as no earlier lead leads, the others join the one they fit best."""
    members: dict[int, list[int]] = {}
    for j in range(len(hypotheses)):
        fits = {i: behaviour.like(i, j).agreement.value or 0.0 for i in members if (i, j) in known}
        meant = {i: fit for i, fit in fits.items() if known[i, j] != "verdicts"}
        if meant:
            best: int | None = min(meant, key=lambda i: (_STRENGTH[known[i, j]], -meant[i], i))
        else:
            bare = {i: fit for i, fit in fits.items() if _meaning(hypotheses[i]).bare}
            clear = [_clear_best({i: fit for i, fit in fits.items() if i not in bare}), _clear_best(bare)]
            best = max((i for i in clear if i is not None), key=lambda i: (fits[i], -i), default=None)
        if best is None:
            members[j] = []
        else:
            members[best].append(j)
    return members


def _clear_best(fits: Mapping[int, float]) -> int | None:
    """The lead that the verdicts fit best; None where they fit another one as well, which says something else."""
    ranked = sorted(fits, key=lambda i: (-fits[i], i))
    if len(ranked) > 1 and fits[ranked[0]] - fits[ranked[1]] < CLEARLY:
        return None
    return ranked[0] if ranked else None


def _entry(
    lead: int, members: Sequence[int], known: _Known, hypotheses: Sequence[Hypothesis], behaviour: SignedVerdicts
) -> Merged:
    every = (lead, *members)
    return Merged(
        lead=hypotheses[lead].id,
        members=tuple(hypotheses[i].id for i in every),
        known_by=("lead", *(known[lead, i] for i in members)),
        agreement=tuple(behaviour.like(lead, i).agreement for i in every),
    )
