"""One response taken apart, once: its words, sentences and lines, for all properties and phrases.

Knows no property. Patterns here and in the properties are linear in the text: responses are hostile.
"""

import re
from dataclasses import dataclass, replace
from functools import cached_property

from diffing.types import Finish, Pair, Response

WORD = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]|[^\W_]+(?:['’-][^\W_]+)*")
"""A word; in Chinese and Japanese, which put no spaces between words, a character."""
SENTENCE_END = re.compile(r"(?<=[.!?…。！？])[\"'”’»)\]*]{0,3}(?=\s|$)|(?<=[。！？])|\n+")
"""Where one sentence ends: at a full stop, exclamation or question mark before a space, and at every line's end."""


@dataclass(frozen=True)
class Exchange:
    """One prompt with one response, or with its first words."""

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
    def sentences(self) -> tuple[tuple[str, ...], ...]:
        """Per sentence that holds a word its words, in lower case and with straight apostrophes."""
        parts = (WORD.findall(part) for part in SENTENCE_END.split(self.text.replace("’", "'")))
        return tuple(tuple(word.lower() for word in part) for part in parts if part)

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

    def first(self, count: int) -> "Exchange":
        """The same with the first words of the response only, and what stands between them and the next word."""
        if count >= len(self.spans):
            return self
        return replace(self, text=self.text[: self.spans[count][0]])


@dataclass(frozen=True, slots=True)
class PairReading:
    """Both responses of a pair, whole and cut to the same number of words."""

    prompt_id: str
    """The pair."""
    whole: tuple[Exchange, Exchange]
    """As they are, a first."""
    matched: tuple[Exchange, Exchange]
    """Both cut to as many words as the shorter has, so that what is counted in them does not depend on length."""


def read_pair(pair: Pair) -> PairReading:
    """Takes both responses apart."""
    a, b = _exchange(pair, pair.a), _exchange(pair, pair.b)
    count = min(len(a.spans), len(b.spans))
    return PairReading(prompt_id=pair.prompt.id, whole=(a, b), matched=(a.first(count), b.first(count)))


def is_measurable(pair: Pair) -> bool:
    """Whether both sides answered; what stands for an answer that never came is not measured."""
    return pair.a.finish != "error" and pair.b.finish != "error"


def _exchange(pair: Pair, response: Response) -> Exchange:
    return Exchange(prompt=pair.prompt.text, text=response.text, finish=response.finish)
