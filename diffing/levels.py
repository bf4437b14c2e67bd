"""Computes how much each model shows by itself of what a finding is about, such as the share of its responses.

What was measured is told for whole responses, also if a verdict compares as many words of both. What a judge decided
is told as the judge sees it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from diffing import metrics
from diffing.estimates import Estimate
from diffing.methods.base import Method, ValueMethod
from diffing.metrics.medians import median
from diffing.scope import ScopeRule
from diffing.types import (
    SIDES,
    Finding,
    Hypothesis,
    Judgement,
    Level,
    LevelKind,
    Measure,
    Pair,
    Place,
    Split,
    Verdict,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Values = NDArray[np.float64]
    Mask = NDArray[np.bool_]

NEARLY_ALL = 0.9
"""A count that more of the responses of both sides have is told by its median, not by how many responses have it."""
SPLITS: tuple[Split, Split] = ("train", "heldout")
_FITS: Mapping[Verdict, tuple[float, float]] = {
    Verdict.A: (1.0, 0.0),
    Verdict.B: (0.0, 1.0),
    Verdict.SAME: (1.0, 1.0),
    Verdict.NOT_SHOWN: (0.0, 0.0),
    Verdict.NEITHER: (0.0, 0.0),
}
"""Whether a verdict says of side a and of side b that the response fits."""
Inside: TypeAlias = "Callable[[ScopeRule], Mask]"
"""Tells which pairs have a prompt that is in a measured scope; shape (pairs,)."""


def measured_values(
    methods: Sequence[Method],
    hypotheses: Sequence[Hypothesis],
    pairs: Sequence[Pair],
    known: Mapping[Measure, "Values"],
) -> dict[Measure, "Values"]:
    """Returns the values of all hypotheses that are measured; measures those that are not known yet.

    Args:
        methods: The methods of the run.
        hypotheses: All hypotheses of the run.
        pairs: All pairs of the run.
        known: Values on these pairs, in their order.
    """
    values = dict(known)
    for method in methods:
        own = [h for h in hypotheses if h.method == method.name and h.measure and h.measure not in values]
        if own and isinstance(method, ValueMethod):
            values |= method.measure_values(own, pairs).values
    return values


def with_levels(
    findings: Sequence[Finding],
    judgements: Sequence[Judgement],
    pairs: Sequence[Pair],
    values: Mapping[Measure, "Values"],
    inside: Inside,
    apart: Sequence[Pair] = (),
) -> tuple[Finding, ...]:
    """Adds both models' own levels to findings, on all prompts, and inside and outside a scope.

    The scope is that of the confirmed concentration; without one, that of the hypothesis. Nothing is told where no
    response is known, and nothing outside a scope that the judge decides, because no question is asked there.

    Args:
        findings: All findings of the run.
        judgements: All verdicts of the run.
        pairs: All pairs of the run.
        values: What was measured on these pairs, in their order, by measure.
        inside: Tells which of these pairs are in a measured scope, in their order.
        apart: Pairs of prompts that only some judged hypotheses have verdicts on, beside those of the run.
    """
    import numpy as np

    every = (*pairs, *apart)
    judged = _judged([f.hypothesis for f in findings if f.hypothesis.measure is None], judgements, every)
    splits = np.array([pair.prompt.split for pair in every])
    if apart:
        unknown = ((0, 0), (0, len(apart)))
        values = {measure: np.pad(each, unknown, constant_values=np.nan) for measure, each in values.items()}

    def inside_every(rule: ScopeRule) -> "Mask":
        return np.pad(inside(rule), (0, len(apart)))

    def levels(finding: Finding) -> Iterator[Level]:
        shown = _shown(finding.hypothesis, values, judged)
        if shown is None:
            return
        for place, mask in _places(finding, shown, judged, inside_every):
            for split in SPLITS:
                for side, own in zip(SIDES, shown.values[:, (splits == split) & mask], strict=True):
                    if (value := _estimate(shown.kind, own[~np.isnan(own)])).n:
                        yield Level(split, place, side, shown.kind, value)

    return tuple(replace(finding, levels=tuple(levels(finding))) for finding in findings)


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    """What the judge says of each pair on one hypothesis."""

    fits: "Values"
    """1 if the response of side a or of side b fits, else 0; NaN without a readable verdict; shape (2, pairs)."""
    in_scope: "Mask"
    """Whether the prompt is in the scope of the hypothesis; shape (pairs,)."""


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    """What both sides show on each pair, and how it is summed up."""

    kind: LevelKind
    values: "Values"
    """Shape (2, pairs); NaN if unknown."""


def _judged(
    hypotheses: Sequence[Hypothesis], judgements: Sequence[Judgement], pairs: Sequence[Pair]
) -> Mapping[str, _Judged]:
    """What the judge says on each of the hypotheses; those without a verdict of a judge are left out."""
    import numpy as np

    columns = {pair.prompt.id: column for column, pair in enumerate(pairs)}
    asked = {hypothesis.id for hypothesis in hypotheses}
    found: dict[str, _Judged] = {}
    for judgement in judgements:
        if judgement.hypothesis_id not in asked or judgement.judge == "measured":
            continue
        if judgement.hypothesis_id not in found:
            found[judgement.hypothesis_id] = _Judged(np.full((2, len(pairs)), np.nan), np.zeros(len(pairs), np.bool_))
        one, column = found[judgement.hypothesis_id], columns[judgement.prompt_id]
        one.in_scope[column] = judgement.in_scope
        if judgement.verdict in _FITS:
            one.fits[:, column] = _FITS[judgement.verdict]
    return found


def _shown(hypothesis: Hypothesis, values: Mapping[Measure, "Values"], judged: Mapping[str, _Judged]) -> _Shown | None:
    """What both sides show of a hypothesis; None if that is not known."""
    import numpy as np

    if hypothesis.measure is None:
        one = judged.get(hypothesis.id)
        return None if one is None else _Shown("fits", one.fits)
    own = values.get(hypothesis.measure)
    if own is None:
        return None
    known = ~np.isnan(own)
    counted = bool((own[known] != (own[known] > 0)).any())
    if counted and all((own > 0).sum(axis=1) > NEARLY_ALL * known.sum(axis=1)):
        return _Shown("median", own)
    return _Shown("share", np.where(known, own > 0, np.nan))


def _places(
    finding: Finding, shown: _Shown, judged: Mapping[str, _Judged], inside: Inside
) -> Iterator[tuple[Place, "Mask"]]:
    """The places for which levels are told, with the pairs that are there."""
    import numpy as np

    yield "all", np.ones(shown.values.shape[1], np.bool_)
    found = metrics.concentrated(finding)
    scope = found.scope if found else finding.hypothesis.scope
    if scope is not None and scope.rule is not None:
        mask = inside(scope.rule)
        yield "inside", mask
        yield "outside", ~mask
    elif scope is not None and finding.hypothesis.id in judged:
        yield "inside", judged[finding.hypothesis.id].in_scope


def _estimate(kind: LevelKind, values: "Values") -> Estimate:
    if kind == "median":
        return median(values.tolist())
    return metrics.wilson(int(values.sum()), len(values))
