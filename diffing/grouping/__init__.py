"""One ranked list over all methods: findings that say the same become one entry, with all of them named in it.

That two hypotheses say the same needs both that they mean the same and that they behave alike, on train pairs:

- `property`: both speak of the same measured property, and give the same verdict on most pairs (80 %). With less, one
  may be about a part of the other ("lists", "lists in code"), which an LLM can tell.
- `judge`: an LLM says so in both readings. Asked for judged or measured sentences that behave alike and are near in
  wording; never where they speak of different measured properties.
- `verdicts`: for what has no meaning beyond where it occurs (a phrase, a bare feature), nearly the same verdicts, and
  clearly fewer the same with any other sentence.

Verdicts alone never merge two sentences: "uses lists" and "writes longer" may well hold in the same pairs. A specific
sentence and a general one ("numbered lists", "lists") are kept apart as well. Every member says the same as the lead
itself, so no chain of small steps ends somewhere else. Held-out verdicts decide nothing here but which finding leads
(confirmed before not): where an entry has several confirmed findings the train pairs choose, so that the size shown is
not the luckiest of several.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal, TypeAlias

from diffing.grouping.same_statement import ask_same
from diffing.grouping.verdict_agreement import Behaviour, Likeness
from diffing.models.base import Model
from diffing.types import (
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

__all__ = ["Behaviour", "Likeness", "Merging", "ask_same", "merge"]

CLEARLY = 0.05
"""What has no meaning of its own joins what it fits best only where it agrees so much less with the next: where a model
praises and so writes more sentences, verdicts do not say which of the two a phrase is about."""
ASKED = 3
"""Per hypothesis, the LLM is asked about so many others, the nearest in wording."""
KnownBy: TypeAlias = Literal["property", "judge", "verdicts"]
_STRENGTH: dict[KnownBy, int] = {"property": 0, "judge": 1, "verdicts": 2}


@dataclass(frozen=True, slots=True)
class Merging:
    """The merged list, and what it took."""

    entries: tuple[Merged, ...]
    """By their leads: confirmed first, sentences before bare features, then in the order of the findings."""
    usage: tuple[Usage, ...] = ()
    """Questions to the LLM, where any were asked."""


def merge(
    findings: Sequence[Finding],
    judgements: Sequence[Judgement],
    pairs: Sequence[Pair],
    *,
    judge: Model | None = None,
    on_progress: OnProgress = ignore_progress,
) -> Merging:
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
    behaviour = Behaviour(hypotheses, judgements, pairs)
    known = _known(hypotheses, behaviour)
    usage: tuple[Usage, ...] = ()
    candidates = _candidates(hypotheses, behaviour, known) if judge is not None else []
    if judge is not None and candidates:
        same, asked = ask_same(judge, [(hypotheses[i], hypotheses[j]) for i, j in candidates], on_progress)
        known |= {pair: "judge" for pair, yes in zip(candidates, same, strict=True) if yes}
        usage = (asked,)
    members = _groups(hypotheses, known, behaviour)
    entries = {hypotheses[lead].id: _entry(lead, members[lead], known, hypotheses, behaviour) for lead in members}
    ranked = sorted(findings, key=lambda finding: (not finding.confirmed, _is_feature(finding.hypothesis)))
    return Merging(tuple(entries[f.hypothesis.id] for f in ranked if f.hypothesis.id in entries), usage)


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
        case LatentMeasure(in_words=in_words):
            return _Meaning(None, not in_words)


def _is_feature(hypothesis: Hypothesis) -> bool:
    """Whether a hypothesis only names a latent, and nobody said what it stands for."""
    return isinstance(hypothesis.measure, LatentMeasure) and not hypothesis.measure.in_words


def _lead_rank(finding: Finding) -> tuple[bool, int, float, str]:
    """Who leads: confirmed, then what a person understands, then the larger difference on train."""
    hypothesis = finding.hypothesis
    kind = 2 if _is_feature(hypothesis) else 1 if _meaning(hypothesis).bare else 0
    low = finding.train.net_difference.low
    return not finding.confirmed, kind, -low if low is not None else 2.0, hypothesis.id


_Known: TypeAlias = dict[tuple[int, int], KnownBy]


def _known(hypotheses: Sequence[Hypothesis], behaviour: Behaviour) -> _Known:
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


def _candidates(hypotheses: Sequence[Hypothesis], behaviour: Behaviour, known: _Known) -> list[tuple[int, int]]:
    """Sentences that may mean the same: alike in behaviour, and among each other's nearest in wording."""
    meanings = [_meaning(hypothesis) for hypothesis in hypotheses]
    worded = [i for i, meaning in enumerate(meanings) if not meaning.bare]
    near = _nearness([hypotheses[i].text for i in worded])
    found: dict[int, list[tuple[float, int, int]]] = {}
    for at, j in enumerate(worded):
        for before, i in enumerate(worded[:at]):
            measured = {meanings[i].measured, meanings[j].measured} - {None}
            if len(measured) < 2 and (i, j) not in known and behaviour.like(i, j).bears_out:
                for end in (i, j):
                    found.setdefault(end, []).append((-near[before][at], i, j))
    return sorted({(i, j) for nearest in found.values() for _, i, j in sorted(nearest)[:ASKED]})


def _nearness(texts: Sequence[str]) -> Sequence[Sequence[float]]:
    """Cosines between the sentences, from the embedder that needs no network; all 0 where it is not installed."""
    if len(texts) < 2 or find_spec("sklearn") is None:
        return [[0.0] * len(texts)] * len(texts)
    from diffing.methods.llm.embed import TfidfEmbedder

    vectors = TfidfEmbedder().embed(texts)
    cosines: list[list[float]] = (vectors @ vectors.T).round(6).tolist()
    return cosines


def _groups(hypotheses: Sequence[Hypothesis], known: _Known, behaviour: Behaviour) -> dict[int, list[int]]:
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
    lead: int, members: Sequence[int], known: _Known, hypotheses: Sequence[Hypothesis], behaviour: Behaviour
) -> Merged:
    every = (lead, *members)
    return Merged(
        lead=hypotheses[lead].id,
        members=tuple(hypotheses[i].id for i in every),
        known_by=("lead", *(known[lead, i] for i in members)),
        agreement=tuple(behaviour.like(lead, i).agreement for i in every),
    )
