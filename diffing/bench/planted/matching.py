"""Decides which finding of a comparison names which planted behaviour, by what was measured and never by its text.

The truth is known for each pair: the target lists the pairs on which only its side shows the behaviour.
"""

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

from diffing.bench.planted.plants import Plant, Trigger
from diffing.estimates import Estimate
from diffing.metrics import sign_test, wilson
from diffing.types import (
    FeatureMeasure,
    Finding,
    Judgement,
    LatentMeasure,
    Measure,
    Pair,
    PhraseMeasure,
    Prompt,
    PropertyMeasure,
    Side,
    Verdict,
)

How: TypeAlias = Literal["property", "phrase", "verdicts", "judge"]
"""What shows that a finding names a behaviour: its property, its phrase, the pairs it occurs on, or an LLM's word."""
Verdicts: TypeAlias = Mapping[str, Verdict]
"""Readable verdicts on one hypothesis, by prompt id."""

COINCIDES = 0.5
"""A finding matches a behaviour, and a scope a trigger, if they overlap at least this much (Jaccard index)."""
TRACKS_P = 0.005
"""The largest p-value, in each of two tests, at which a finding's verdicts count as falling on the planted pairs."""
SIGN_P = 0.05
"""The largest p-value of the sign test on the planted pairs."""
REST = 0.1
"""If a smaller share of pairs is without the behaviour, these pairs are too few to compare with."""


@dataclass(frozen=True, slots=True)
class PlantedTarget:
    """A planted behaviour that a run should find, and the prompts on which it shows."""

    plant: Plant
    """What was planted."""
    side: Side
    """The side in which it was planted."""
    selected: frozenset[str]
    """The prompts on which it was planted."""
    shown: frozenset[str]
    """The prompts on which only this side's response shows it; if it cannot be measured, the same as `selected`."""


def target_of(plant: Plant, pairs: Sequence[Pair], side: Side = "b") -> PlantedTarget:
    """Determines on which pairs of a run a plant shows.

    Only the prompts on which the behaviour was planted count: if it occurs elsewhere, that is chance.
    """
    selected = [pair for pair in pairs if plant.selects(pair.prompt)]
    shown = [pair for pair in selected if plant.behaviour.shown_by(pair, side) is not False]
    return PlantedTarget(plant, side, _ids(selected), _ids(shown))


def verdicts_by_hypothesis(judgements: Sequence[Judgement]) -> dict[str, dict[str, Verdict]]:
    """Returns the readable verdicts by hypothesis id and prompt id."""
    found: dict[str, dict[str, Verdict]] = {}
    for judgement in judgements:
        if judgement.verdict is not Verdict.UNREADABLE:
            found.setdefault(judgement.hypothesis_id, {})[judgement.prompt_id] = judgement.verdict
    return found


def tracks(target: PlantedTarget, direction: Side, verdicts: Verdicts, heldout: Verdicts) -> bool:
    """Tells whether a finding's verdicts come from the behaviour: they favour its side on the planted pairs especially.

    On the planted held-out pairs the sign test must be significant. In addition, by Fisher's exact test over all pairs,
    the planted pairs must have a larger share of verdicts for the side than the other pairs, or fewer verdicts against
    it for each one for it. Train pairs may be used here: a hypothesis was chosen for its verdicts on train, but not for
    which pairs they are on. If hardly any other pairs were judged, the sign test alone decides.

    Args:
        target: The behaviour and the pairs that show it.
        direction: The side that the finding predicts.
        verdicts: The finding's verdicts on all pairs.
        heldout: The finding's verdicts on the held-out pairs.
    """
    import numpy as np
    from scipy.stats import fisher_exact

    tested = [verdict.side for prompt_id, verdict in heldout.items() if prompt_id in target.shown]
    hits = tested.count(direction)
    if not hits or sign_test(hits, len(tested) - tested.count(None) - hits) > SIGN_P:
        return False
    on, off = (
        [verdict.side for prompt_id, verdict in verdicts.items() if (prompt_id in target.shown) == planted]
        for planted in (True, False)
    )
    if len(off) < REST * len(verdicts):
        return True
    hit, against = zip(
        *((sides.count(direction), len(sides) - sides.count(None) - sides.count(direction)) for sides in (on, off)),
        strict=True,
    )
    tables = (
        [[hit[0], len(on) - hit[0]], [hit[1], len(off) - hit[1]]],
        [[hit[0], against[0]], [hit[1], against[1]]],
    )
    return any(fisher_exact(np.array(table), alternative="greater").pvalue <= TRACKS_P for table in tables)


def coincidence(target: PlantedTarget, direction: Side, verdicts: Verdicts) -> float:
    """Returns the Jaccard index of the pairs with a verdict for the side and the pairs that show the behaviour."""
    hits = {prompt_id for prompt_id, verdict in verdicts.items() if verdict.side == direction}
    return _jaccard(hits, target.shown & verdicts.keys())


def named_by(
    target: PlantedTarget,
    finding: Finding,
    verdicts: Verdicts,
    heldout: Verdicts,
    rivals: Sequence[PlantedTarget] = (),
    *,
    tokens: Mapping[str, str] = MappingProxyType({}),
    says: bool | None = None,
) -> How | None:
    """Returns what shows that a finding names the behaviour; None if it does not name it.

    In any case its verdicts must fall on the pairs that show the behaviour. The text of the finding is not looked at. A
    finding with a property names the behaviour if the behaviour affects this property; a measured phrase or feature,
    if the phrase or one of the feature's strongest tokens is a phrase of the behaviour. Otherwise the LLM decides on
    sentences that a judge tested, and on all sentences if the behaviour cannot be measured. Without an answer of the
    LLM, the finding must occur on the behaviour's pairs.

    Args:
        target: The behaviour and the pairs that show it.
        finding: A confirmed finding.
        verdicts: The finding's verdicts on all pairs.
        heldout: The finding's verdicts on the held-out pairs.
        rivals: All behaviours that were planted in the run.
        tokens: The tokens at which each feature of the finding's method is strongest, by the feature's name.
        says: Whether an LLM says that the sentence names the behaviour; None if it was not asked or is unreadable.
    """
    hypothesis, behaviour = finding.hypothesis, target.plant.behaviour
    measure = hypothesis.measure
    if not tracks(target, hypothesis.direction, verdicts, heldout):
        return None
    name = measure.name if isinstance(measure, PropertyMeasure) else hypothesis.speaks_of
    if (name, hypothesis.direction) in behaviour.more_of(target.side):
        return "property"
    if says is not None and (measure is None or not behaviour.measurable):
        return "judge" if says else None
    if name is not None or hypothesis.direction != target.side:
        return None
    if behaviour.phrases and any(map(behaviour.phrases.search, _measured_words(measure, tokens))):
        return "phrase"
    return "verdicts" if _coincides_best(target, hypothesis.direction, verdicts, rivals) else None


def _measured_words(measure: Measure | None, tokens: Mapping[str, str]) -> list[str]:
    """Returns the phrase that is measured, or the strongest tokens of each feature, in lower case."""
    if isinstance(measure, PhraseMeasure):
        return [measure.phrase]
    names: list[str] = []
    if isinstance(measure, LatentMeasure):
        names = [str(index) for index in measure.indices]
    if isinstance(measure, FeatureMeasure):
        names = [feature.name for feature in measure.features]
    return [tokens[name].lower() for name in names if name in tokens]


def is_scope_of(trigger: Trigger, prompts: Sequence[Prompt], in_scope: Collection[str]) -> bool:
    """Tells whether the scope of a hypothesis is the trigger of a plant, by the prompts that each of them selects.

    Args:
        trigger: The trigger.
        prompts: The prompts on which the hypothesis was judged.
        in_scope: The ids of those that are in its scope.
    """
    return _jaccard(set(in_scope), {prompt.id for prompt in prompts if trigger.fits(prompt)}) >= COINCIDES


def _coincides_best(
    target: PlantedTarget, direction: Side, verdicts: Verdicts, rivals: Sequence[PlantedTarget]
) -> bool:
    """Tells whether the verdicts fit this behaviour best; a behaviour on nearly all pairs would fit any verdicts."""
    if len(verdicts.keys() - target.shown) < REST * len(verdicts):
        return False
    own = coincidence(target, direction, verdicts)
    return own >= COINCIDES and all(
        own > coincidence(rival, direction, verdicts)
        for rival in rivals
        if rival is not target and rival.side == target.side
    )


def _jaccard(one: Set[str], other: Set[str]) -> float:
    return len(one & other) / len(one | other) if one or other else 0.0


def shown_share(target: PlantedTarget) -> Estimate:
    """Estimates the share of the planted prompts on which the behaviour shows, where the model obeyed."""
    return wilson(len(target.shown), len(target.selected))


def _ids(pairs: Sequence[Pair]) -> frozenset[str]:
    return frozenset(pair.prompt.id for pair in pairs)
