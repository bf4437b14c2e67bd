"""Finds out from train responses whether only one model uses a phrase, and which measured property it is part of.

A phrase such as «I cannot help» is a part of refusing if it stands in the sentences that show refusals, or if nearly
all responses with it refuse and few of the others do. Verdicts could not tell this: they name the side that does more
of something, and not what the responses contain.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from diffing.methods.base import ShowingMethod
from diffing.ranking import property_of
from diffing.types import Finding, Measure, Pair, PhraseMeasure, PropertyMeasure, Side, other_side

EXCLUSIVE = 10
"""One side uses a phrase nearly alone if its share of responses with it is this many times the other's."""
LEAST_RESPONSES = 5
"""The smallest number of train responses of its side with a phrase that can show what it is a part of."""
IN_SENTENCES = 0.5
"""The share of the responses with a phrase in which it must stand in a sentence that shows the property."""
HOLDS, ELSEWHERE, CHANCE = 0.8, 0.6, 0.01
"""Or the share of the responses with a phrase that have the property, the largest share of the others, as a multiple of
the first, and the largest binomial p of so many by chance."""
MOST_PAIRS = 2_000
"""The largest number of train pairs that are read, drawn by a hash of their ids; more would hardly change shares."""
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class PhraseUse:
    """What is known of the phrases among some findings, by hypothesis id."""

    exclusive: frozenset[str] = frozenset()
    """The phrases that one side uses nearly alone."""
    parts: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """The properties that each phrase is a part of, with the Jaccard index of the responses of its side that contain
    the phrase and those that have the property; phrases that are a part of nothing are left out."""


def phrase_use(findings: Iterable[Finding], methods: Iterable[object], pairs: Sequence[Pair]) -> PhraseUse:
    """Reads the train responses for the phrases and the properties of some findings.

    Args:
        findings: The findings.
        methods: The methods of the run; only those are asked that can show the sentences of a response.
        pairs: All pairs; only train pairs are read, and of these at most `MOST_PAIRS`.
    """
    found = list(findings)
    train = _drawn([pair for pair in pairs if pair.prompt.split == "train"])
    phrases: dict[Side, dict[str, Measure]] = {"a": {}, "b": {}}
    properties: dict[Side, set[str]] = {"a": set(), "b": set()}
    for finding in found:
        hypothesis = finding.hypothesis
        if isinstance(hypothesis.measure, PhraseMeasure):
            phrases[hypothesis.direction][hypothesis.id] = hypothesis.measure
        elif name := property_of(hypothesis):
            properties[hypothesis.direction].add(name)
    showing = [method for method in methods if isinstance(method, ShowingMethod)]
    exclusive: set[str] = set()
    parts: dict[str, Mapping[str, float]] = {}
    for side, own in phrases.items():
        if not own:
            continue
        names = sorted(properties[side])
        read = _SideReading.of(showing, list(own.values()), names, train, side)
        others = _SideReading.of(showing, list(own.values()), [], train, other_side(side))
        for row, phrase in enumerate(own):
            uses, theirs = int(read.phrases[row].sum()), int(others.phrases[row].sum())
            if uses + 0.5 >= EXCLUSIVE * (theirs + 0.5):
                exclusive.add(phrase)
            if part_of := {name: read.jaccard(row, i) for i, name in enumerate(names) if read.is_part(row, i)}:
                parts[phrase] = part_of
    return PhraseUse(frozenset(exclusive), parts)


def _drawn(pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs to read: the same ones whatever their order."""
    by_hash = sorted(pairs, key=lambda pair: hashlib.sha256(pair.prompt.id.encode()).digest())
    return by_hash[:MOST_PAIRS]


@dataclass(frozen=True, eq=False)
class _SideReading:
    """The responses of one side that contain phrases and have properties."""

    phrases: Mask
    """Shape (phrases, responses)."""
    properties: Mask
    """Shape (properties, responses)."""
    together: npt.NDArray[np.int64]
    """The number of responses in which a phrase stands in a sentence that shows a property; shape
    (phrases, properties)."""

    @classmethod
    def of(
        cls, methods: Sequence[ShowingMethod], phrases: Sequence[Measure], names: Sequence[str], pairs: Sequence[Pair],
        side: Side,
    ) -> "_SideReading":  # fmt: skip
        measures = [*phrases, *map(PropertyMeasure, names)]
        shown = np.zeros((len(measures), len(pairs)), dtype=np.bool_)
        together = np.zeros((len(phrases), len(names)), dtype=np.int64)
        for method in methods:
            for column, pair in enumerate(pairs):
                sentences = method.sentences_shown(measures, pair, side)
                shown[:, column] |= [each is not None for each in sentences]
                for row in np.flatnonzero(shown[: len(phrases), column]).tolist():
                    own = sentences[row] or frozenset()
                    beside = [bool(own & (each or frozenset())) for each in sentences[len(phrases) :]]
                    together[row] += np.array(beside, dtype=np.int64)
        return cls(shown[: len(phrases)], shown[len(phrases) :], together)

    def is_part(self, phrase: int, name: int) -> bool:
        """Whether a phrase is a part of what a property measures."""
        uses, has = self.phrases[phrase], self.properties[name]
        total = int(uses.sum())
        if total < LEAST_RESPONSES:
            return False
        return bool(self.together[phrase, name] >= IN_SENTENCES * total) or _goes_with(uses, has)

    def jaccard(self, phrase: int, name: int) -> float:
        uses, has = self.phrases[phrase], self.properties[name]
        return float((uses & has).sum() / max(1, (uses | has).sum()))


def _goes_with(uses: Mask, has: Mask) -> bool:
    """Whether nearly all responses with a phrase have a property, clearly more than of the other responses."""
    from scipy.stats import binom

    inside, total, others = int((uses & has).sum()), int(uses.sum()), int((~uses).sum())
    share, elsewhere = inside / total, int((~uses & has).sum()) / max(1, others)
    if share < HOLDS or elsewhere > ELSEWHERE * share or not others:
        return False
    return bool(binom.sf(inside - 1, total, elsewhere) < CHANCE)
