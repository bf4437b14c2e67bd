"""`ParsedResponse`: the words, sentences, lines and language of a response, each computed once for all properties."""

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import chain
from typing import Literal, TypeAlias

from diffing.methods.lexical.language_detection import language_of
from diffing.methods.lexical.prose import without_code, without_formulas_and_links, without_other_voices
from diffing.methods.lexical.word_tokens import count_words, fold, sentences_of, spans_of
from diffing.types import Finish, Pair, Side

Part: TypeAlias = Literal["text", "outside_code", "prose", "voice"]
"""The part of a response that a property reads."""


@dataclass(frozen=True)
class ParsedResponse:
    """A response, or a part of it, with the prompt that it answers."""

    prompt: str
    """The last user message."""
    text: str
    """The response."""
    finish: Finish
    """Why generation of the response ended."""

    @cached_property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """The position of each word in the text, as (start, end)."""
        return spans_of(self.text)

    @cached_property
    def outside_code(self) -> str:
        """The text with spaces in place of code, so that positions are those in the text."""
        return without_code(self.text)

    @cached_property
    def prose(self) -> str:
        """The text with spaces in place of code, formulas and links."""
        return without_formulas_and_links(self.outside_code)

    @cached_property
    def voice(self) -> str:
        """The model's own words: the prose with spaces in place of quotations and the turns of invented users."""
        return without_other_voices(self.prose)

    def folded(self, part: Part) -> str:
        """Returns a part in lower case, with straight apostrophes and composed characters (NFC)."""
        text: str = getattr(self, part)
        if text not in self._folded:
            self._folded[text] = fold(text)
        return self._folded[text]

    @cached_property
    def _folded(self) -> dict[str, str]:
        """Folded texts, by the text: most responses are prose as a whole."""
        return {}

    @cached_property
    def sentences(self) -> tuple[tuple[str, ...], ...]:
        """The words of each sentence that has any, folded; the number of a list item belongs to what follows it."""
        return sentences_of(self.text)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words of all sentences."""
        return tuple(chain.from_iterable(self.sentences))

    @cached_property
    def running(self) -> str:
        """The words of each sentence on a line of its own, with a single space before and after every word."""
        return "\n".join(f" {' '.join(sentence)} " for sentence in self.sentences)

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The lines that are not empty, stripped of surrounding white space."""
        return tuple(line.strip() for line in self.text.split("\n") if line.strip())

    @cached_property
    def language(self) -> str | None:
        """The English name of the response's language; None if it cannot be determined."""
        return language_of(self.text)

    @cached_property
    def prompt_language(self) -> str | None:
        """The English name of the prompt's language; None if it cannot be determined."""
        return _language_of_prompt(self.prompt)

    def words_in(self, part: Part) -> int:
        """Returns the number of words of a part."""
        text: str = getattr(self, part)
        if text not in self._word_counts:
            self._word_counts[text] = count_words(text)
        return self._word_counts[text]

    @cached_property
    def _word_counts(self) -> dict[str, int]:
        return {}

    def ends(self, count: int) -> "ParsedResponse":
        """Returns the response reduced to a number of words, half of them from its beginning and half from its end.

        A paragraph break marks the cut, so that no phrase spans it.
        """
        if count >= self.words_in("text"):
            return self
        spans = self.spans
        head, tail = spans[(count + 1) // 2][0], spans[len(spans) - count // 2 - 1][1]
        return replace(self, text=f"{self.text[:head]}\n\n{self.text[tail:] if count > 1 else ''}")

    def spread_sentences(self, count: int) -> "ParsedResponse":
        """Returns the words of a number of sentences, spread evenly from the first to the last, or the middle one."""
        kept = self.sentences
        if count == 1:
            kept = kept[len(kept) // 2 :][:1]
        elif count < len(kept):
            kept = tuple(kept[i * (len(kept) - 1) // (count - 1)] for i in range(count))
        return replace(self, text="\n".join(" ".join(sentence) for sentence in kept))


_language_of_prompt = lru_cache(16)(language_of)  # both sides of a pair answer one prompt


@dataclass(frozen=True)
class ParsedPair:
    """Both responses of a pair, parsed, in full and reduced to the same length."""

    prompt_id: str
    """The pair."""
    whole: tuple[ParsedResponse, ParsedResponse]
    """The whole responses of side a and side b."""

    @cached_property
    def ends(self) -> tuple[ParsedResponse, ParsedResponse]:
        """Both responses, reduced to the number of words of the shorter one."""
        count = min(side.words_in("text") for side in self.whole)
        return self.whole[0].ends(count), self.whole[1].ends(count)

    @cached_property
    def spread_sentences(self) -> tuple[ParsedResponse, ParsedResponse]:
        """Both responses, reduced to the number of sentences of the one with fewer."""
        count = min(len(side.sentences) for side in self.whole)
        return self.whole[0].spread_sentences(count), self.whole[1].spread_sentences(count)


def read_pair(pair: Pair) -> ParsedPair:
    """Parses both responses of a pair."""
    return ParsedPair(prompt_id=pair.prompt.id, whole=(read_response(pair, "a"), read_response(pair, "b")))


def is_measurable(pair: Pair) -> bool:
    """Tells whether both sides answered; a placeholder for a missing response is not measured."""
    return pair.a.finish != "error" and pair.b.finish != "error"


def read_response(pair: Pair, side: Side) -> ParsedResponse:
    """Parses one response of a pair."""
    response = pair.response(side)
    return ParsedResponse(prompt=pair.prompt.text, text=response.text, finish=response.finish)
