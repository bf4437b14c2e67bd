"""Decides which finding names which planted behaviour: by what it measures, its words, and where its verdicts fall.

The truth is known per pair: the target says on which pairs its side alone shows the behaviour. Asks no model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from diffing.bench.planted.plants import Plant
from diffing.metrics import sign_test, wilson
from diffing.types import Estimate, Finding, Hypothesis, Judgement, Pair, PhraseMeasure, PropertyMeasure, Side, Verdict

How: TypeAlias = Literal["property", "phrase", "words", "verdicts", "judge"]
Verdicts: TypeAlias = Mapping[str, Verdict]
"""Readable verdicts on one hypothesis, by prompt id."""

COINCIDES = 0.5
"""A feature or phrase is the behaviour where its pairs and those of the behaviour overlap by this much (Jaccard)."""
TRACKS_P = 0.005
"""Chance that a finding falls on the planted pairs as it does, at most, in each of two tests."""
SIGN_P = 0.05
"""Chance that its verdicts on the planted pairs are for its side as they are, at most."""
REST = 0.1
"""Where fewer pairs than this share are without the behaviour, nothing can be told from them."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a run must find."""

    plant: Plant
    """What was planted."""
    side: Side
    """The side in which it was planted."""
    selected: frozenset[str]
    """Prompts on which it was planted."""
    shown: frozenset[str]
    """Prompts on which this side's response shows it and the other's does not; where no measure tells, `selected`."""


def target_of(plant: Plant, pairs: Sequence[Pair], side: Side = "b") -> Target:
    """The truth about a plant in the pairs of a run.

    A behaviour is only told from others on the prompts that were to show it: elsewhere a mark is chance.
    """
    selected = [pair for pair in pairs if plant.selects(pair.prompt)]
    shown = [pair for pair in selected if plant.behaviour.shown_by(pair, side) is not False]
    return Target(plant, side, _ids(selected), _ids(shown))


def verdicts_by_hypothesis(judgements: Sequence[Judgement]) -> dict[str, dict[str, Verdict]]:
    """Readable verdicts by hypothesis and prompt."""
    found: dict[str, dict[str, Verdict]] = {}
    for judgement in judgements:
        if judgement.verdict is not Verdict.UNREADABLE:
            found.setdefault(judgement.hypothesis_id, {})[judgement.prompt_id] = judgement.verdict
    return found


def tracks(target: Target, direction: Side, verdicts: Verdicts, heldout: Verdicts) -> bool:
    """Whether verdicts are for a side because of the behaviour: where it is, and not in the same way elsewhere.

    On the planted held-out pairs the sign test must be significant. And of all pairs the planted ones must have more
    verdicts for the side than the others have, or fewer against it for each one, by Fisher's exact test: that a
    hypothesis was chosen for its verdicts on train says nothing of where among them they fall. Where hardly any others
    were judged, the sign test alone decides.

    Args:
        target: Where the behaviour is.
        direction: The side that the finding predicts.
        verdicts: On all pairs.
        heldout: On the held-out pairs alone.
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


def coincidence(target: Target, direction: Side, verdicts: Verdicts) -> float:
    """Pairs with a verdict for the side and with the behaviour / pairs with either (Jaccard)."""
    hits = {prompt_id for prompt_id, verdict in verdicts.items() if verdict.side == direction}
    planted = target.shown & verdicts.keys()
    return len(hits & planted) / len(hits | planted) if hits or planted else 0.0


def named_by(
    target: Target, finding: Finding, verdicts: Verdicts, heldout: Verdicts, rivals: Sequence[Target] = ()
) -> How | None:
    """How a finding names the behaviour, by the rules of the catalogue; None where it does not.

    Whatever it says, its verdicts must fall on the pairs of the behaviour. A sentence names it by speaking of its
    property or in its words; a measured word, phrase or feature by its words, or by coinciding with the behaviour.

    Args:
        target: The behaviour and where it is.
        finding: A confirmed finding.
        verdicts: On all pairs.
        heldout: On the held-out pairs alone.
        rivals: What else was planted in the run.
    """
    hypothesis, behaviour = finding.hypothesis, target.plant.behaviour
    if not tracks(target, hypothesis.direction, verdicts, heldout):
        return None
    more = behaviour.more_of(target.side)
    if isinstance(hypothesis.measure, PropertyMeasure):
        return "property" if (hypothesis.measure.name, hypothesis.direction) in more else None
    if hypothesis.measure is None:
        if (hypothesis.speaks_of, hypothesis.direction) in more:
            return "property"
        return "words" if behaviour.words.search(hypothesis.text.lower()) else None
    if hypothesis.direction != target.side:
        return None
    if behaviour.phrases is not None and behaviour.phrases.search(_words_of(hypothesis)):
        return "phrase"
    return "verdicts" if _coincides_best(target, hypothesis.direction, verdicts, rivals) else None


def _words_of(hypothesis: Hypothesis) -> str:
    """The word or phrase that is measured, or the tokens at which a feature is strongest and its label."""
    if isinstance(hypothesis.measure, PhraseMeasure):
        return hypothesis.measure.phrase
    return hypothesis.text.lower()


def _coincides_best(target: Target, direction: Side, verdicts: Verdicts, rivals: Sequence[Target]) -> bool:
    """Whether the verdicts are those of this behaviour; what is nearly everywhere coincides with anything."""
    if len(verdicts.keys() - target.shown) < REST * len(verdicts):
        return False
    own = coincidence(target, direction, verdicts)
    return own >= COINCIDES and all(
        own > coincidence(rival, direction, verdicts)
        for rival in rivals
        if rival is not target and rival.side == target.side
    )


def shown_share(target: Target) -> Estimate:
    """The share of the prompts on which it was planted that show it: whether the model did as it was told."""
    return wilson(len(target.shown), len(target.selected))


def _ids(pairs: Sequence[Pair]) -> frozenset[str]:
    return frozenset(pair.prompt.id for pair in pairs)
