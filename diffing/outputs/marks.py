"""Finds the words of a response that show a measured finding, so that they can be highlighted."""

from diffing.outputs.level_words import level_of, number, unit_of
from diffing.types import Finding, Pair, PhraseMeasure, PropertyMeasure, Side

_MOST_SPANS = 100
_READ = 20_000
"""Maximum number of characters of a response in which words are looked for."""


def spans_that_show(finding: Finding, pair: Pair, side: Side) -> list[tuple[int, int]]:
    """Returns where one response shows a finding, as (start, end) positions in its text, in order.

    The list is empty for what no passage shows, such as a number of words, and for judged findings and SAE features.

    Args:
        finding: The finding.
        pair: The pair of responses.
        side: The side whose response is read.
    """
    match finding.hypothesis.measure:
        case PropertyMeasure(name):
            return _of_property(name, pair, side)
        case PhraseMeasure(phrase):
            return _of_phrase(phrase, pair, side)
    return []


def has_marks(finding: Finding) -> bool:
    """Whether `spans_that_show` can find passages for a finding; otherwise its quotes are the only ones."""
    return isinstance(finding.hypothesis.measure, PropertyMeasure | PhraseMeasure)


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


def _of_property(name: str, pair: Pair, side: Side) -> list[tuple[int, int]]:
    from diffing.methods.lexical.parsed_response import ParsedResponse
    from diffing.methods.lexical.properties import BY_NAME

    measured, response = BY_NAME.get(name), pair.response(side)
    if measured is None or measured.show is None:
        return []
    read = ParsedResponse(pair.prompt.text, response.text[:_READ], response.finish)
    found = (match.span() for match in measured.show.finditer(getattr(read, measured.part)))
    return [span for span in found if span[0] < span[1]][:_MOST_SPANS]


def _of_phrase(phrase: str, pair: Pair, side: Side) -> list[tuple[int, int]]:
    from diffing.methods.lexical.parsed_response import ParsedResponse
    from diffing.methods.lexical.tokens import SENTENCE_END, fold

    read = ParsedResponse(pair.prompt.text, pair.response(side).text[:_READ], "stop")
    sought = phrase.split(" ")
    words = [fold(read.text[start:end]) for start, end in read.spans]
    found = (
        (read.spans[place][0], read.spans[place + len(sought) - 1][1])
        for place in range(len(words) - len(sought) + 1)
        if words[place : place + len(sought)] == sought
    )
    within = [span for span in found if SENTENCE_END.search(read.text[slice(*span)]) is None]
    return within[:_MOST_SPANS]
