"""Checks the judge's verdicts against measurements, for hypotheses about a property that can be measured.

Changes no verdict and no finding.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from diffing import metrics
from diffing.estimates import Estimate
from diffing.methods.lexical import LexicalMethod
from diffing.methods.lexical.properties import BY_NAME
from diffing.types import Hypothesis, Judgement, Pair, PropertyMeasure, Row


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far judged verdicts agree with measured ones."""

    rows: tuple[Row, ...]
    """One per judged hypothesis that speaks of a measured property."""
    notes: tuple[str, ...]
    """The sum over all of them, in a plain sentence."""
    share: Estimate = metrics.UNDEFINED
    """The share of agreement among the verdicts that both decided; the interval is over pairs."""


def compare_with_measurement(
    hypotheses: Sequence[Hypothesis], judgements: Sequence[Judgement], pairs: Sequence[Pair]
) -> Agreement:
    """Agreement of judged verdicts with measured ones, over the pairs that both decided for a side.

    Args:
        hypotheses: The judged ones.
        judgements: Verdicts on them, and perhaps on others.
        pairs: The pairs that were judged.
    """
    properties = {each.id: name for each in hypotheses if (name := each.speaks_of) in BY_NAME}
    measurable = [
        replace(each, measure=PropertyMeasure(properties[each.id])) for each in hypotheses if each.id in properties
    ]
    measured = {(m.hypothesis_id, m.prompt_id): m.verdict for m in LexicalMethod().measure(measurable, pairs)}
    counts = {hypothesis.id: [0, 0] for hypothesis in measurable}
    by_pair = {pair.prompt.id: [0, 0] for pair in pairs}
    for judgement in judgements:
        verdict = measured.get((judgement.hypothesis_id, judgement.prompt_id))
        if verdict is not None and verdict.side and judgement.verdict.side:
            for count in (counts[judgement.hypothesis_id], by_pair[judgement.prompt_id]):
                count[0] += verdict == judgement.verdict
                count[1] += 1
    rows = tuple(_row(id_, properties[id_], *count) for id_, count in counts.items())
    agreed, decided = (sum(count[i] for count in counts.values()) for i in (0, 1))
    if not decided:
        return Agreement(rows, ())
    share = metrics.share_over_groups([(agreed, decided) for agreed, decided in by_pair.values()])
    note = (
        f"{len(measurable)} judged hypotheses speak of a measured property: judge and measurement agreed on "
        f"{agreed} of the {decided} verdicts that both decided ({share.value:.0%})."
    )
    return Agreement(rows, (note,), share)


def _row(hypothesis_id: str, name: str, agreed: int, decided: int) -> Row:
    share = metrics.wilson(agreed, decided)
    return {
        "hypothesis_id": hypothesis_id,
        "property": name,
        "decided_by_both": decided,
        "agreed": agreed,
        "share": share.value,
        "low": share.low,
        "high": share.high,
    }
