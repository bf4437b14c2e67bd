"""Finds responses in which a finding's property is counted, and others in which it is not, to show with the finding."""

from collections.abc import Iterator
from itertools import chain

from diffing.methods.plan import property_examples
from diffing.methods.property_info import PropertyExamples
from diffing.outputs.count_words import property_info
from diffing.outputs.level_words import level_of, number, unit_of
from diffing.report.index import index_of
from diffing.types import Finding, Pair, PropertyMeasure, Report, Side

_PAIRS = 8
"""Maximum number of pairs of each kind of verdict that are read; to read all of them would take seconds."""
_READ = 20_000
"""Maximum number of characters of a response that are counted."""


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


def counts_in_words(finding: Finding, pair: Pair) -> str | None:
    """Returns how much each response has of what a finding counts, the larger first: "6 sentences against 3".

    Args:
        finding: The finding.
        pair: The pair of responses.

    Returns:
        The text; None if the finding counts nothing, or if its test compares passages of equal length.
    """
    from diffing.methods.lexical.parsed_response import ParsedResponse
    from diffing.methods.lexical.properties import BY_NAME

    measure = finding.hypothesis.measure
    measured = BY_NAME.get(measure.name) if isinstance(measure, PropertyMeasure) else None
    level = level_of(finding, "all", finding.hypothesis.direction)
    if measured is None or measured.scale != "whole" or level is None or level.kind != "median":
        return None
    values = [
        measured.value(ParsedResponse(pair.prompt.text, each.text[:_READ], each.finish)) for each in (pair.a, pair.b)
    ]
    known = sorted((value for value in values if value is not None), reverse=True)
    return f"{number(known[0])} {unit_of(finding)} against {number(known[1])}" if len(known) == len(values) else None


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
