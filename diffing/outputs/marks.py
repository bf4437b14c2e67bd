"""Finds the words of a response that show a measured finding, so that they can be highlighted."""

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
    from diffing.methods.lexical.word_tokens import SENTENCE_END, fold

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
