"""Orders findings and the entries of a report's list by how much readers want to know them.

A confirmed finding is ranked by s = w * c * sqrt(low * low_in). `low` and `low_in` are the lower ends of Tango's
interval of its net difference on held-out prompts, overall and in its confirmed scope: what is certain counts, not
what is estimated, and a difference that fills a narrow place counts for more than its share of all prompts. If a
finding was tested only where it applies, its `low` is `low_in` times the share of the run's prompts to which it
applies. w weighs what the finding is about, and c how much its sentence says on its own. The weights were set by hand
with recorded pairs of models in view; they are judgements and no estimates. Ratings of interestingness, if there are
any, multiply s by interestingness / 3.

No side and no order of prompts has a part in this, so that swapping the two models mirrors the order.
"""

import math
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TypeAlias

from diffing.estimates import Estimate
from diffing.methods.plan import measured_properties
from diffing.methods.property_info import PropertyInfo, Tier
from diffing.metrics import concentrated
from diffing.types import Category, FeatureMeasure, Finding, Hypothesis, LatentMeasure, PhraseMeasure, PropertyMeasure

TIERS: Mapping[Tier, float] = {"answering": 4.0, "stance": 2.5, "structure": 2.0, "length": 1.5, "other": 1.0}
"""w by what a measured property is about."""
CATEGORIES: Mapping[Category, float] = {
    "safety and alignment": 4.0,
    "language": 4.0,
    "capability": 2.5,
    "reasoning": 2.5,
    "knowledge and stance": 2.5,
    "format": 2.0,
    "style": 1.0,
}
"""w of a sentence that no property measures, by its category."""
OF_PHRASE, OF_FEATURE = 0.4, 0.8
"""c of a phrase, unless one side uses it nearly alone, and of a feature without words; c of a sentence is 1."""
OF_WORDS = 0.8
"""c of a property that counts certain words wherever they stand: which words a model uses says less than what it does,
and so a model that refuses is not first said to speak of risks, as its refusals do."""
OF_PART = 0.8
"""The share of a property's w that a phrase has once it is known to be a part of what the property measures."""
MEAN_INTEREST = 3.0
"""The rating of interestingness that changes nothing: the middle of the scale."""
SENTENCE, PHRASE, FEATURE = 0, 1, 2
"""The kinds of findings, by how much their sentences say on their own."""
Place: TypeAlias = tuple[int, float, float]
"""A place in the order: the group (confirmed, tested, not tested, undefined), then strengths, both negated."""


def kind_of(hypothesis: Hypothesis) -> int:
    """Returns SENTENCE, PHRASE, or FEATURE for a feature of which nobody said what it stands for."""
    match hypothesis.measure:
        case PhraseMeasure():
            return PHRASE
        case LatentMeasure(in_words=False) | FeatureMeasure(in_words=False):
            return FEATURE
        case _:
            return SENTENCE


def property_of(hypothesis: Hypothesis) -> str | None:
    """Returns the measured property that a hypothesis measures or speaks of, if it does."""
    measure = hypothesis.measure
    return measure.name if isinstance(measure, PropertyMeasure) else hypothesis.speaks_of if measure is None else None


@cache
def properties() -> Mapping[str, PropertyInfo]:
    """The properties that any method measures, by name, kept for the life of the process."""
    return measured_properties()


def weight_of(hypothesis: Hypothesis, *, exclusive: bool = False, part_of: str | None = None) -> float:
    """Returns w * c.

    A judged sentence that speaks of a measured property has the larger of the weights of its category and of that
    property, so that a behaviour weighs no less because a judge found it.

    Args:
        hypothesis: The hypothesis.
        exclusive: For a phrase: whether one side uses it nearly alone.
        part_of: For a phrase: the property that it is known to be a part of.
    """
    kind = kind_of(hypothesis)
    if kind == FEATURE:
        return OF_FEATURE
    if kind == PHRASE:
        about = OF_PART * _measured_weight(part_of) if part_of else 1.0
        return about * (1.0 if exclusive else OF_PHRASE)
    name = property_of(hypothesis)
    if name and isinstance(hypothesis.measure, PropertyMeasure):
        return _measured_weight(name)
    return max(CATEGORIES[hypothesis.category], _tier_weight(name) if name else 0.0)


def weight_where_it_applies(weight: float, share: float) -> float:
    """Returns w * c of a finding that was tested only where it applies, for an s of w * c * sqrt(low * low_in).

    Args:
        weight: Its w * c if it applied to all prompts.
        share: The share of the run's prompts to which it applies.
    """
    return weight * math.sqrt(share)  # `low` is `low_in` times this share


def _measured_weight(name: str) -> float:
    """Returns w * c of a property that is measured."""
    info = properties().get(name)
    return _tier_weight(name) * (OF_WORDS if info and info.counts_words else 1.0)


def _tier_weight(name: str) -> float:
    info = properties().get(name)
    return TIERS[info.tier if info else "other"]


def strength(finding: Finding, weight: float | None = None) -> float:
    """Returns s of a confirmed finding, times interestingness / 3 if it was rated.

    Args:
        finding: The finding.
        weight: Its w * c; `weight_of(finding.hypothesis)` by default.
    """
    low = _certain(finding.heldout.net_difference)
    inside = max(low, *(_certain(each) for each in _in_scope(finding)), 0.0)
    s = (weight_of(finding.hypothesis) if weight is None else weight) * math.sqrt(low * inside)
    rated = _finite(finding.rating.interestingness.value) if finding.rating else None
    return s if rated is None else s * rated / MEAN_INTEREST


def _in_scope(finding: Finding) -> list[Estimate]:
    """The net differences in the finding's scope, of a confirmed measured one and of a stated one."""
    inside = [finding.heldout_in_scope] if finding.heldout_in_scope is not None else []
    if (concentration := concentrated(finding)) is not None:
        inside.append(concentration.inside)
    return [metrics.net_difference for metrics in inside]


def _certain(estimate: Estimate) -> float:
    """The lower end of an interval; 0 if it is below 0 or undefined."""
    return max(0.0, _finite(estimate.low) or 0.0)


def place_of(finding: Finding, weight: float | None = None) -> Place:
    """Returns a finding's place; smaller ones come first.

    1. Confirmed findings, by s, then by net difference.
    2. Findings that were tested and not confirmed, by size of the net difference on held-out prompts.
    3. Findings that were not tested, by net difference on train prompts; undefined ones last.
    """
    net = _finite(finding.heldout.net_difference.value)
    if net is not None and finding.confirmed:
        return 0, -strength(finding, weight), -net
    if net is not None:
        return 1, -abs(net), -net
    on_train = _finite(finding.train.net_difference.value)
    effect = _finite(finding.hypothesis.train_effect) if on_train is None else on_train
    return (2, -effect, 0.0) if effect is not None else (3, 0.0, 0.0)


def tie_of(finding: Finding) -> tuple[object, ...]:
    """Returns what orders findings in the same place: counts, then words (the fewer the better), then the evidence.

    The id comes last, since it is a hash of the direction and would not mirror.
    """
    hypothesis, heldout, train = finding.hypothesis, finding.heldout, finding.train
    counts = (-heldout.k_for, heldout.k_against, -train.k_for, train.k_against)
    scope = hypothesis.scope.words if hypothesis.scope else ""
    evidence = tuple(sorted((each.prompt_id, each.quote) for each in hypothesis.evidence))
    text = len(hypothesis.text), hypothesis.text
    return *counts, *text, hypothesis.method, scope, evidence, hypothesis.id


def order_findings(findings: Iterable[Finding], weights: Mapping[str, float] | None = None) -> tuple[Finding, ...]:
    """Sorts findings into the order in which reports list them; see `place_of`.

    Args:
        findings: The findings.
        weights: w * c by hypothesis id, if more is known than the hypotheses say; see `weight_of`.
    """
    known = weights or {}
    return tuple(sorted(findings, key=lambda each: (place_of(each, known.get(each.hypothesis.id)), tie_of(each))))


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None
