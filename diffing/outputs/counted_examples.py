"""Finds responses in which a finding's property is counted, and others in which it is not, to show with the finding."""

from collections.abc import Iterator
from itertools import chain

from diffing.methods.plan import property_examples
from diffing.methods.property_info import PropertyExamples
from diffing.outputs.count_words import property_info
from diffing.report.index import index_of
from diffing.types import Finding, Pair, PropertyMeasure, Report, Side

_PAIRS = 8
"""Maximum number of pairs of each kind of verdict that are read; to read all of them would take seconds."""


def counted_examples(finding: Finding, report: Report) -> PropertyExamples | None:
    """Returns examples of what is counted for a finding, and of what is not.

    Only some of the pairs are read, held-out ones first, so the numbers of responses say nothing about the models.

    Args:
        finding: A finding of the report.
        report: The report.

    Returns:
        The examples; None if the finding is not confirmed, or measures nothing that stands for a behaviour.
    """
    measure, info = finding.hypothesis.measure, property_info(finding)
    if not finding.confirmed or not isinstance(measure, PropertyMeasure) or info is None or not info.only_signs:
        return None
    return property_examples(measure.name, tuple(_pairs(finding, report)))


def _pairs(finding: Finding, report: Report) -> Iterator[Pair]:
    """Chooses pairs on which either model has more, and pairs on which neither has, in the run's order."""
    index = index_of(report)
    judgements = index.verdicts_on(finding.hypothesis.id)
    found: dict[Side | None, list[Pair]] = {"a": [], "b": [], None: []}
    for judgement in judgements:
        found[judgement.verdict.side].append(index.pairs[judgement.prompt_id])
    for pairs in found.values():
        pairs.sort(key=lambda pair: pair.prompt.split != "heldout")  # stable: the run's order stays
    return chain.from_iterable(pairs[:_PAIRS] for pairs in found.values())
