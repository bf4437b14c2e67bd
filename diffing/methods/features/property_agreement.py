"""Finds the measured property that decides as a feature does, so that a feature without a label has a category."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, get_args

from diffing.methods.features.read_pairs import ReadPair
from diffing.methods.features.stated_hypotheses import StatedHypotheses
from diffing.methods.plan import method_plans
from diffing.methods.property_info import Tier
from diffing.types import Category, Judgement, Pair, PropertyMeasure

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

AGREES = 0.8
"""A property goes with a feature if both favour the same side on this share of the pairs that either decides."""
_TIERS: tuple[Tier, ...] = get_args(Tier)


def with_properties(stated: StatedHypotheses, pairs: Sequence[ReadPair]) -> StatedHypotheses:
    """Gives hypotheses about one feature each the category of the measured property that goes with it, if there is one.

    Args:
        stated: The hypotheses and their features, in the same order.
        pairs: The train pairs, with the latents that exceed their thresholds.
    """
    import numpy as np

    if not stated.features:
        return stated
    names, properties = _property_sides([pair.pair for pair in pairs])
    if not names:
        return stated
    features = np.array(
        [[(pair.a.value(one.index) > 0) - (pair.b.value(one.index) > 0) for pair in pairs] for one in stated.features],
        dtype=np.int8,
    )
    shares = agreement(features, properties)
    hypotheses, evidence = [], []
    for hypothesis, feature, row in zip(stated.hypotheses, stated.features, shares, strict=True):
        name, category = names[int(row.argmax())]
        goes = row.max() >= AGREES
        hypotheses.append(replace(hypothesis, category=category) if goes else hypothesis)
        evidence.append(replace(feature, agrees_with=name) if goes else feature)
    return replace(stated, hypotheses=tuple(hypotheses), features=tuple(evidence))


def agreement(features: "NDArray[np.int8]", properties: "NDArray[np.int8]") -> "NDArray[np.float64]":
    """Returns the share of agreement of each feature with each property, features x properties.

    Args:
        features: The side that each feature favours in each pair: 1 for A, -1 for B, 0 for none; features x pairs.
        properties: The same for each property.
    """
    import numpy as np

    shares = np.zeros((len(features), len(properties)))
    for row, sides in enumerate(features):
        decided = ((properties != 0) | (sides != 0)).sum(axis=1)
        shares[row] = ((properties == sides) & (sides != 0)).sum(axis=1) / np.maximum(decided, 1)
    return shares


def _property_sides(pairs: Sequence[Pair]) -> "tuple[list[tuple[str, Category]], NDArray[np.int8]]":
    """Returns the name and category of every measured property, and the side that it favours in each pair.

    What a reader wants to know most comes first, because one response to a prompt, such as a refusal, differs from
    another one in many properties at once.
    """
    import numpy as np

    places = {pair.prompt.id: place for place, pair in enumerate(pairs)}
    found: list[tuple[int, str, Category, NDArray[np.int8]]] = []
    for plan in method_plans().values():
        hypotheses, known = plan.property_hypotheses(), plan.properties()
        sides = {each.id: np.zeros(len(pairs), dtype=np.int8) for each in hypotheses}
        for judgement in plan.measure_properties(hypotheses, pairs):
            sides[judgement.hypothesis_id][places[judgement.prompt_id]] = _side(judgement)
        for each in hypotheses:
            if isinstance(each.measure, PropertyMeasure):
                name = each.measure.name
                found.append((_TIERS.index(known[name].tier), name, each.category, sides[each.id]))
    found.sort(key=lambda each: each[:2])
    matrix = np.array([each for _, _, _, each in found], dtype=np.int8).reshape(len(found), len(pairs))
    return [(name, category) for _, name, category, _ in found], matrix


def _side(judgement: Judgement) -> int:
    side = judgement.verdict.side
    return 0 if side is None else 1 if side == "a" else -1
