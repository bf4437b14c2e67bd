"""Quotes passages of a response, unchanged, as evidence for a measured property or phrase."""

from diffing.methods.lexical.measured_property import MeasuredProperty
from diffing.methods.lexical.parsed_response import ParsedResponse
from diffing.methods.lexical.word_tokens import SENTENCE_END, fold

BEFORE, AFTER = 50, 70
"""The number of characters quoted before and after a match, within its line."""


def quote_of_property(measured: MeasuredProperty, exchange: ParsedResponse) -> str:
    """Quotes the passage around the first match, or the first words if no passage shows the property; may be empty."""
    match = measured.show.search(getattr(exchange, measured.part)) if measured.show else None
    if match is not None:
        return _around(exchange.text, match.start(), match.end())
    start = len(exchange.text) - len(exchange.text.lstrip())
    return _around(exchange.text, start, start)


def quote_of_phrase(phrase: str, exchange: ParsedResponse) -> str:
    """Quotes the passage around the first occurrence of a phrase."""
    text, spans, sought = exchange.text, exchange.spans, phrase.split(" ")
    words = [fold(text[start:end]) for start, end in spans]
    for i in range(len(words) - len(sought) + 1):
        if words[i : i + len(sought)] == sought:
            start, end = spans[i][0], spans[i + len(sought) - 1][1]
            if SENTENCE_END.search(text[start:end]) is None:
                return _around(text, start, end)
    return ""


def _around(text: str, start: int, end: int) -> str:
    """Returns the match with part of its line before and after it, cut between words."""
    first = max(text.rfind("\n", 0, start) + 1, start - BEFORE)
    if first > 0 and not text[first - 1].isspace():  # in the middle of a word
        space = text.find(" ", first, start)
        first = space + 1 if space >= 0 else start
    line_end = text.find("\n", end)
    last = min(line_end if line_end >= 0 else len(text), end + AFTER)
    if last < len(text) and not text[last].isspace():
        space = text.rfind(" ", end, last)
        last = space if space >= 0 else last
    return text[first:last].strip()
