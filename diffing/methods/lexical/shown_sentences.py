"""Finds the sentences of a response that show a measured property or contain a phrase, by their numbers from 0."""

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from diffing.methods.lexical.measured_property import MeasuredProperty
from diffing.methods.lexical.parsed_response import ParsedResponse
from diffing.methods.lexical.phrases import holds_phrase
from diffing.methods.lexical.word_tokens import SENTENCE_END


@dataclass(frozen=True)
class ShownSentences:
    """The sentences of one response."""

    exchange: ParsedResponse
    """The response."""

    def of_property(self, measured: MeasuredProperty) -> frozenset[int] | None:
        """Returns the sentences with passages that show a property.

        Returns:
            None if the response does not have the property or it cannot be determined; an empty set if it has the
            property but no passage shows it, as with length.
        """
        if not measured.value(self.exchange):
            return None
        if measured.show is None:
            return frozenset()
        found: set[int] = set()
        for match in measured.show.finditer(getattr(self.exchange, measured.part)):
            first, last = match.start(), max(match.start(), match.end() - 1)
            found.update(range(bisect_right(self._ends, first), bisect_right(self._ends, last) + 1))
        return frozenset(found)

    def of_phrase(self, phrase: str) -> frozenset[int] | None:
        """Returns the sentences that contain a phrase; None if the response does not contain it."""
        if not holds_phrase(self.exchange, phrase):
            return None
        running = zip(self._numbers, self.exchange.running.split("\n"), strict=True)
        return frozenset(number for number, words in running if f" {phrase} " in words)

    @cached_property
    def _ends(self) -> list[int]:
        """The positions in the text at which sentences end."""
        return [match.end() for match in SENTENCE_END.finditer(self.exchange.text)]

    @cached_property
    def _numbers(self) -> list[int]:
        """The number of each of `ParsedResponse.sentences`, which have words: that of the sentence of its last word."""
        spans = self.exchange.spans
        last_words = (count - 1 for count in accumulate(map(len, self.exchange.sentences)))
        return [bisect_right(self._ends, spans[min(word, len(spans) - 1)][0]) for word in last_words]
