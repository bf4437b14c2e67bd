"""Makes the lexical method's hypotheses, with the effect and the evidence that train pairs give."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from diffing.methods.lexical.counted_pairs import CountedPair, comparisons_of
from diffing.methods.lexical.evidence_quotes import quote_of_phrase, quote_of_property
from diffing.methods.lexical.measured_property import MeasuredProperty
from diffing.methods.lexical.parsed_response import read_response
from diffing.methods.lexical.phrases import compare_phrase, kind_of
from diffing.methods.lexical.properties import BY_NAME
from diffing.methods.lexical.property_results import PropertyResult
from diffing.methods.lexical.word_tokens import as_written
from diffing.types import SIDES, Evidence, Hypothesis, Pair, PhraseMeasure, PropertyMeasure, Side, other_side

EVIDENCE = 3
"""The number of pairs quoted per hypothesis."""


def of_property(one: PropertyResult, pairs: Sequence[Pair]) -> Hypothesis:
    """Makes the hypothesis that a property differs in the same direction as on train."""
    import numpy as np

    measured, side = one.measured, SIDES.index(one.direction)
    values = np.nan_to_num(one.comparisons.whole)
    lead = values[:, side] - values[:, 1 - side]
    clear = np.flatnonzero(one.comparisons.verdicts == side + 1)
    # the pairs that differ most, the earlier first
    most = clear[np.argsort(-lead[clear], kind="stable")[:EVIDENCE]]
    quotes = [
        Evidence(pairs[i].prompt.id, one.direction, quote)
        for i in most.tolist()
        if (quote := quote_of_property(measured, read_response(pairs[i], one.direction)))
    ]
    return Hypothesis(
        id=_id(measured.sentence, one.direction),
        text=measured.sentence,
        direction=one.direction,
        method="lexical",
        category=measured.category,
        evidence=tuple(quotes),
        measure=PropertyMeasure(measured.name),
        train_effect=one.effect,
    )


def of_phrase(
    phrase: str, side: Side, effect: float, pairs: Sequence[Pair], counted: Sequence[CountedPair]
) -> Hypothesis:
    """Makes the hypothesis that a side uses a phrase in more of its responses, by a share of the pairs (`effect`)."""
    text = f"<MODEL> uses the {kind_of(phrase)} «{as_written(phrase)}» more often"
    holding = (
        pair
        for pair, each in zip(pairs, counted, strict=True)
        if compare_phrase(phrase, each.words).verdict.side == side
    )
    quotes = [
        Evidence(pair.prompt.id, side, quote_of_phrase(phrase, read_response(pair, side)))
        for pair in islice(holding, EVIDENCE)
    ]
    return Hypothesis(
        id=_id(text, side),
        text=text,
        direction=side,
        method="lexical",
        category="style",
        evidence=tuple(quotes),
        measure=PhraseMeasure(phrase),
        train_effect=effect,
    )


def on_train(hypothesis: Hypothesis, pairs: Sequence[Pair], counted: Sequence[CountedPair]) -> Hypothesis | None:
    """The hypothesis with effect and evidence from train pairs; None unless more pairs speak for it than against."""
    side, other = hypothesis.direction, other_side(hypothesis.direction)
    match hypothesis.measure:
        case PropertyMeasure(name):
            one = PropertyResult(BY_NAME[name], comparisons_of(BY_NAME[name], counted))
            more = dict(zip(SIDES, one.more, strict=True))
            return of_property(one, pairs) if more[side] > more[other] else None
        case PhraseMeasure(text):
            compared = [compare_phrase(text, each.words).verdict.side for each in counted]
            lead = compared.count(side) - compared.count(other)
            return of_phrase(text, side, lead / len(pairs), pairs, counted) if lead > 0 else None
        case other_measure:
            raise ValueError(f"expected a hypothesis of the lexical method, got measure {other_measure!r}")


def candidates_of(properties: Iterable[MeasuredProperty], chosen: Sequence[Hypothesis]) -> Iterator[Hypothesis]:
    """The hypotheses that a property differs in one direction, for all directions that are not chosen."""
    known = {hypothesis.id for hypothesis in chosen}
    for measured in properties:
        for side in SIDES:
            if (hypothesis_id := _id(measured.sentence, side)) not in known:
                yield Hypothesis(
                    id=hypothesis_id,
                    text=measured.sentence,
                    direction=side,
                    method="lexical",
                    category=measured.category,
                    measure=PropertyMeasure(measured.name),
                )


def _id(text: str, direction: Side) -> str:
    """Makes a hypothesis id from `lexical-` and a hash, the same in every rerun."""
    digest = hashlib.sha256(f"{direction} {text}".encode()).hexdigest()
    return f"lexical-{digest[:12]}"
