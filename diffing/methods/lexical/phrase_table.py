"""Counts the responses that contain each frequent phrase, by arrays of numbers, so that rare phrases are never made.

A phrase can only be frequent if the phrases in it are: words are counted first, then pairs of frequent words, and so on
(the apriori principle of Agrawal and Srikant, 1994, Fast algorithms for mining association rules).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from diffing.methods.lexical.language_detection import GRAMMAR
from diffing.methods.lexical.word_tokens import SOUTHEAST, is_unspaced

SYLLABLE = re.compile(rf"[\u3041-\u309f{SOUTHEAST}]{{1,4}}")
"""Matches a single letter of hiragana, Thai, Lao, Khmer or Burmese, which means nothing alone."""
LONGEST = 3
"""The largest number of words of a phrase."""
LONGEST_RUN = 6
"""The largest number of characters of a phrase in scripts without spaces between words."""
LONGEST_PHRASE = 60
"""The largest number of characters of a phrase."""


@dataclass(frozen=True, slots=True)
class PairWords:
    """The words of both responses of a pair, in full and at equal length (see `ParsedResponse.running`)."""

    whole: tuple[str, str]
    """The words of each whole response."""
    ends: tuple[str, str]
    """The words of each response, reduced to the number of words of the shorter one."""
    counts: tuple[int, int]
    """The number of words of each whole response."""


@dataclass(frozen=True)
class PhrasesOfLength:
    """The frequent phrases of one number of words."""

    begins: NDArray[np.int64]
    """The number of the phrase without its last word, among those that are one word shorter; shape (phrases,)."""
    last: NDArray[np.int64]
    """The number of the last word in the vocabulary."""
    characters: NDArray[np.int64]
    """The number of characters."""
    telling: NDArray[np.bool_]
    """Whether the phrase is no number and contains none."""
    unspaced: NDArray[np.bool_]
    """Whether all words are of scripts without spaces."""
    responses: NDArray[np.int64]
    """The number of responses that contain it: of side a and b in full, and at equal length; shape (4, phrases)."""
    held: tuple[NDArray[np.int64], NDArray[np.int64]]
    """For side a and b, sorted: phrase * pairs + pair, for each whole response that contains a phrase."""


@dataclass(frozen=True)
class PhraseTable:
    """All frequent phrases, numbered from the shortest to the longest."""

    vocabulary: Sequence[str]
    """The words."""
    lengths: Sequence[PhrasesOfLength]
    """The phrases of one word, of two, and so on."""
    pairs: int
    """The number of pairs."""

    @cached_property
    def responses(self) -> NDArray[np.int64]:
        """See `PhrasesOfLength.responses`."""
        return np.concatenate([each.responses for each in self.lengths], axis=1)

    @cached_property
    def telling(self) -> NDArray[np.bool_]:
        """Whether each phrase is informative: no number, no single grammatical word like `at`, no single syllable."""
        words = (self.vocabulary[word] for word in self.lengths[0].last.tolist())
        alone = [word not in GRAMMAR and SYLLABLE.fullmatch(word) is None for word in words]
        longer = [each.telling for each in self.lengths[1:]]
        return np.concatenate([self.lengths[0].telling & np.array(alone, dtype=bool), *longer])

    def text(self, number: int) -> str:
        """The words of a phrase, joined by single spaces."""
        size, place = self._place(number)
        words = []
        for phrases in self.lengths[size::-1]:
            words.append(self.vocabulary[phrases.last[place]])
            place = int(phrases.begins[place])
        return " ".join(reversed(words))

    def holders(self, number: int, side: int) -> frozenset[int]:
        """The places of the pairs in which a side's whole response contains a phrase."""
        size, place = self._place(number)
        held = self.lengths[size].held[side]
        first, last = np.searchsorted(held, [place * self.pairs, (place + 1) * self.pairs])
        return frozenset((held[first:last] - place * self.pairs).tolist())

    def _place(self, number: int) -> tuple[int, int]:
        """Returns the number of words, less one, and the place among the phrases of as many words."""
        size = 0
        while number >= len(self.lengths[size].last):
            number -= len(self.lengths[size].last)
            size += 1
        return size, number


class _Stream:
    """The words of one side's responses, one after the other, and the phrases that begin at each of them."""

    def __init__(self, texts: Sequence[str], vocabulary: "_Vocabulary") -> None:
        ends = np.cumsum([text.count(" ") + 1 for text in texts], dtype=np.int64)
        self.words = np.empty(ends[-1] if len(ends) else 0, np.int32)
        for text, end in zip(texts, ends.tolist(), strict=True):
            words = text.split(" ")
            self.words[end - len(words) : end] = [vocabulary[word] for word in words]
        self.phrases = self.words
        self._ends = ends

    def held(self, phrases: NDArray[np.int64], at: NDArray[np.intp], pairs: int) -> NDArray[np.int64]:
        """Returns phrase * pairs + pair, sorted, once for each response with a phrase at one of some places."""
        found = phrases * pairs
        found += np.searchsorted(self._ends, at, side="right")
        found.sort()
        return found[np.flatnonzero(np.diff(found, prepend=-1))]

    def longer(self, shorter: "PhrasesOfLength", size: int, spread: int) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
        """Returns the phrases of this many words whose parts are frequent, and where they begin.

        A phrase is numbered by the one that it begins with and its last word. A long one must be without spaces.
        """
        begins = self.phrases >= 0
        if size > LONGEST:
            begins[begins] = shorter.unspaced[self.phrases[begins]]
        at = np.flatnonzero(begins[:-1] & begins[1:])
        phrases = self.phrases[at].astype(np.int64) * spread
        phrases += self.words[at + size - 1]
        return phrases, at


class _Vocabulary(dict[str, int]):
    """Numbers words as they come; 0 stands for the end of a sentence or of a text."""

    def __init__(self) -> None:
        super().__init__({"": 0, "\n": 0})
        self.words = [""]

    def __missing__(self, word: str) -> int:
        self[word] = number = len(self.words)
        self.words.append(word)
        return number


def count_phrases(pairs: Sequence[PairWords], least: int) -> PhraseTable:
    """Counts the phrases that at least some number of one side's responses, reduced to equal length, contain.

    Args:
        pairs: The words of the pairs.
        least: The smallest number of responses.
    """
    vocabulary = _Vocabulary()
    streams = [_Stream([pair.whole[side] for pair in pairs], vocabulary) for side in (0, 1)]
    streams += [_Stream([pair.ends[side] for pair in pairs], vocabulary) for side in (0, 1)]
    lengths = [_words(vocabulary.words, streams, len(pairs), least)]
    for size in range(2, LONGEST_RUN + 1):
        longer = _longer(lengths, streams, len(pairs), least, size)
        if not len(longer.last):
            break
        lengths.append(longer)
    return PhraseTable(vocabulary.words, lengths, len(pairs))


def _words(vocabulary: Sequence[str], streams: Sequence[_Stream], pairs: int, least: int) -> PhrasesOfLength:
    """Counts the frequent words, and gives the streams their numbers among these."""
    characters = np.array([len(word) for word in vocabulary], dtype=np.int64)
    fit = (characters > 0) & (characters <= LONGEST_PHRASE)
    held, counts = [], []
    for stream in streams:
        held.append(stream.held(stream.words.astype(np.int64), np.arange(len(stream.words)), pairs))
        counts.append(np.bincount(held[-1] // max(1, pairs), minlength=len(vocabulary)))
        del held[2:]
    responses = np.array(counts)
    last = np.flatnonzero(fit & (responses[2:].max(axis=0) >= least))
    number = np.full(len(vocabulary), -1, dtype=np.int32)
    number[last] = np.arange(len(last))
    for stream in streams:
        stream.words = stream.phrases = number[stream.words]
    words = [vocabulary[word] for word in last.tolist()]
    return PhrasesOfLength(
        begins=last,
        last=last,
        characters=characters[last],
        telling=np.array([not word.isdigit() for word in words], dtype=bool),
        unspaced=np.array([is_unspaced(word) for word in words], dtype=bool),
        responses=responses[:, last],
        held=(_renumbered(held[0], number, pairs), _renumbered(held[1], number, pairs)),
    )


def _renumbered(held: NDArray[np.int64], number: NDArray[np.int32], pairs: int) -> NDArray[np.int64]:
    word = number[held // max(1, pairs)].astype(np.int64)
    return (word * pairs + held % max(1, pairs))[word >= 0]


def _longer(
    lengths: Sequence[PhrasesOfLength], streams: Sequence[_Stream], pairs: int, least: int, size: int
) -> PhrasesOfLength:
    """Counts the frequent phrases that are one word longer than the last ones, and gives the streams their numbers."""
    words, shorter = lengths[0], lengths[-1]
    spread = max(1, len(words.last))
    chosen = np.union1d(*(_frequent(each, shorter, size, spread, pairs, least) for each in streams[2:]))
    characters = shorter.characters[chosen // spread] + 1 + words.characters[chosen % spread]
    chosen, characters = chosen[characters <= LONGEST_PHRASE], characters[characters <= LONGEST_PHRASE]
    held, responses = [], []
    for stream in streams:
        phrases, at = stream.longer(shorter, size, spread)
        number = np.searchsorted(chosen, phrases)
        known = number < len(chosen)
        known[known] = chosen[number[known]] == phrases[known]
        number, at = number[known], at[known]
        stream.phrases = np.full(len(stream.words), -1, dtype=np.int32)
        stream.phrases[at] = number
        held.append(stream.held(number, at, pairs))
        responses.append(np.bincount(held[-1] // max(1, pairs), minlength=len(chosen)))
        del held[2:]
    begins, last = chosen // spread, chosen % spread
    return PhrasesOfLength(
        begins=begins,
        last=words.last[last],
        characters=characters,
        telling=shorter.telling[begins] & words.telling[last],
        unspaced=shorter.unspaced[begins] & words.unspaced[last],
        responses=np.array(responses),
        held=(held[0], held[1]),
    )


def _frequent(
    stream: _Stream, shorter: PhrasesOfLength, size: int, spread: int, pairs: int, least: int
) -> NDArray[np.int64]:
    """Returns the phrases of this many words, sorted, that at least some number of a stream's responses contain."""
    phrases = stream.held(*stream.longer(shorter, size, spread), pairs) // max(1, pairs)
    starts = np.flatnonzero(np.diff(phrases, prepend=-1))
    times = np.diff(starts, append=len(phrases))
    return phrases[starts[times >= least]]
