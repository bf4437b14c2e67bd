"""One response taken apart, once: its words, sentences and lines, for all properties and phrases.

Knows no property.
"""

from dataclasses import dataclass, replace
from functools import cached_property

from diffing.methods.lexical.language_detection import language_of
from diffing.methods.lexical.tokens import SENTENCE_END, WORD, fold, words_of
from diffing.types import Finish, Pair, Response


@dataclass(frozen=True)
class Exchange:
    """One prompt with one response, or with its first and last words."""

    prompt: str
    """The last user message."""
    text: str
    """The response."""
    finish: Finish
    """Why it ended."""

    @cached_property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """Where the words are."""
        return tuple(match.span() for match in WORD.finditer(self.text))

    @cached_property
    def folded(self) -> str:
        """The text in lower case, with straight apostrophes, composed."""
        return fold(self.text)

    @cached_property
    def sentences(self) -> tuple[tuple[str, ...], ...]:
        """Per sentence that holds a word its words, in lower case, with straight apostrophes, composed."""
        parts = (tuple(words_of(part)) for part in SENTENCE_END.split(self.text))
        return tuple(part for part in parts if part)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words of all sentences."""
        return tuple(word for sentence in self.sentences for word in sentence)

    @cached_property
    def running(self) -> str:
        """The words with single spaces between them and around, and a line's end between sentences."""
        return "\n".join(f" {' '.join(sentence)} " for sentence in self.sentences)

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The lines that are not empty, without white space around them."""
        return tuple(line.strip() for line in self.text.split("\n") if line.strip())

    @cached_property
    def language(self) -> str | None:
        """The response's language, by its English name, where it can be told."""
        return language_of(self.text)

    @cached_property
    def prompt_language(self) -> str | None:
        """The prompt's language, where it can be told."""
        return language_of(self.prompt)

    def first(self, count: int) -> "Exchange":
        """The same with the first words of the response only, and what stands between them and the next word."""
        if count >= len(self.spans):
            return self
        return replace(self, text=self.text[: self.spans[count][0]])

    def ends(self, count: int) -> "Exchange":
        """The same with so many words only: half of them from the beginning, half from the end.

        The cut is the end of a paragraph, so that no phrase reaches over it.
        """
        spans = self.spans
        if count >= len(spans):
            return self
        head, tail = spans[(count + 1) // 2][0], spans[len(spans) - count // 2 - 1][1]
        return replace(self, text=f"{self.text[:head]}\n\n{self.text[tail:] if count > 1 else ''}")


@dataclass(frozen=True, slots=True)
class PairReading:
    """Both responses of a pair, whole and cut to the same number of words."""

    prompt_id: str
    """The pair."""
    whole: tuple[Exchange, Exchange]
    """As they are, a first."""
    matched: tuple[Exchange, Exchange]
    """Both cut to as many words as the shorter has, so that what is counted in them does not depend on length."""
    ends: tuple[Exchange, Exchange]
    """Likewise, but half of the words from the end: phrases live where responses open and close."""


def read_pair(pair: Pair) -> PairReading:
    """Takes both responses apart."""
    a, b = _exchange(pair, pair.a), _exchange(pair, pair.b)
    count = min(len(a.spans), len(b.spans))
    return PairReading(
        prompt_id=pair.prompt.id,
        whole=(a, b),
        matched=(a.first(count), b.first(count)),
        ends=(a.ends(count), b.ends(count)),
    )


def is_measurable(pair: Pair) -> bool:
    """Whether both sides answered; what stands for an answer that never came is not measured."""
    return pair.a.finish != "error" and pair.b.finish != "error"


def _exchange(pair: Pair, response: Response) -> Exchange:
    return Exchange(prompt=pair.prompt.text, text=response.text, finish=response.finish)
