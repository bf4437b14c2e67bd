"""Counts the responses that contain each frequent phrase, by arrays of numbers, so that rare phrases are never made.

A phrase can only be frequent if the phrases in it are: words are counted first, then pairs of frequent words, and so on
(the apriori principle of Agrawal and Srikant, 1994, Fast algorithms for mining association rules).
"""

import re
from collections.abc import Iterator, Sequence
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
_AT_ONCE = 400_000
"""Places of a stream whose phrases are sorted at once; each takes about 50 bytes meanwhile."""


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
    held: tuple[NDArray[np.int32], NDArray[np.int32]]
    """For side a and b: the places of the pairs whose whole response contains the first phrase, sorted, then those of
    the second one, and so on; `responses` says how many each phrase has."""

    def holders(self, phrase: int, side: int) -> NDArray[np.int32]:
        """The places of the pairs in which a side's whole response contains a phrase, sorted."""
        first = self.responses[side, :phrase].sum()
        return self.held[side][first : first + self.responses[side, phrase]]


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
        return frozenset(self.lengths[size].holders(place, side).tolist())

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

    def ranges(self) -> Iterator[range]:
        """Yields the numbers of all phrases, in ranges that begin at about as many places as are sorted at once."""
        places = np.cumsum(np.bincount(self.phrases[self.phrases >= 0]))
        first = 0
        while first < len(places):
            before = places[first - 1] if first else 0
            last = max(first + 1, int(np.searchsorted(places, before + _AT_ONCE, side="right")))
            yield range(first, last)
            first = last

    def places_of(self, among: range) -> NDArray[np.intp]:
        """Returns the places at which one of the phrases begins."""
        return np.flatnonzero((self.phrases >= among.start) & (self.phrases < among.stop))

    def held(self, phrases: NDArray[np.int64], at: NDArray[np.intp]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Returns the phrases at some places, sorted, once for each response, and the responses."""
        responses = max(1, len(self._ends))
        found = phrases * responses
        found += np.searchsorted(self._ends, at, side="right")
        found.sort()
        found = found[np.flatnonzero(np.diff(found, prepend=-1))]
        return found // responses, (found % responses).astype(np.int32)

    def longer(
        self, shorter: "PhrasesOfLength", size: int, spread: int, among: range
    ) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
        """Returns the phrases of this many words whose parts are frequent, and where they begin.

        A phrase is numbered by the one that it begins with, which must be in the range, and its last word. A long one
        must be without spaces.
        """
        at = self.places_of(among)
        at = at[at + 1 < len(self.phrases)]
        at = at[self.phrases[at + 1] >= 0]
        if size > LONGEST:
            at = at[shorter.unspaced[self.phrases[at]] & shorter.unspaced[self.phrases[at + 1]]]
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
    lengths = [_words(vocabulary.words, streams, least)]
    for size in range(2, LONGEST_RUN + 1):
        longer = _longer(lengths, streams, least, size)
        if not len(longer.last):
            break
        lengths.append(longer)
    return PhraseTable(vocabulary.words, lengths, len(pairs))


def _words(vocabulary: Sequence[str], streams: Sequence[_Stream], least: int) -> PhrasesOfLength:
    """Counts the frequent words, and gives the streams their numbers among these."""
    characters = np.array([len(word) for word in vocabulary], dtype=np.int64)
    fit = (characters > 0) & (characters <= LONGEST_PHRASE)
    responses, held = [], []
    for stream in streams:
        at = map(stream.places_of, stream.ranges())
        found = [stream.held(stream.words[each].astype(np.int64), each) for each in at]
        counted, pairs = _joined(found, len(vocabulary))
        responses.append(counted)
        held.append(pairs)
        del held[2:]
    counts = np.array(responses)
    frequent = fit & (counts[2:].max(axis=0) >= least)
    last = np.flatnonzero(frequent)
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
        responses=counts[:, last],
        held=(held[0][np.repeat(frequent, counts[0])], held[1][np.repeat(frequent, counts[1])]),
    )


def _longer(lengths: Sequence[PhrasesOfLength], streams: Sequence[_Stream], least: int, size: int) -> PhrasesOfLength:
    """Counts the frequent phrases that are one word longer than the last ones, and gives the streams their numbers."""
    words, shorter = lengths[0], lengths[-1]
    spread = max(1, len(words.last))
    chosen = np.union1d(*(_frequent(each, shorter, size, spread, least) for each in streams[2:]))
    characters = shorter.characters[chosen // spread] + 1 + words.characters[chosen % spread]
    chosen, characters = chosen[characters <= LONGEST_PHRASE], characters[characters <= LONGEST_PHRASE]
    responses, held = [], []
    for stream in streams:
        phrases, found = np.full_like(stream.words, -1), []
        for among in stream.ranges():
            number, at = _known(*stream.longer(shorter, size, spread, among), chosen)
            phrases[at] = number
            found.append(stream.held(number, at))
        stream.phrases = phrases
        counted, pairs = _joined(found, len(chosen))
        responses.append(counted)
        held.append(pairs)
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


def _joined(
    found: Sequence[tuple[NDArray[np.int64], NDArray[np.int32]]], phrases: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Returns how many responses hold each phrase, and the responses, from what was found range by range."""
    counted = np.zeros(phrases, dtype=np.int64)
    for numbers, _ in found:
        counted += np.bincount(numbers, minlength=phrases)
    return counted, np.concatenate([np.empty(0, dtype=np.int32), *(responses for _, responses in found)])


def _known(
    phrases: NDArray[np.int64], at: NDArray[np.intp], chosen: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """Returns the places of the chosen phrases in their list, and those at which they begin."""
    number = np.searchsorted(chosen, phrases)
    known = number < len(chosen)
    known[known] = chosen[number[known]] == phrases[known]
    return number[known], at[known]


def _frequent(stream: _Stream, shorter: PhrasesOfLength, size: int, spread: int, least: int) -> NDArray[np.int64]:
    """Returns the phrases of this many words, sorted, that at least some number of a stream's responses contain."""
    frequent = [np.empty(0, dtype=np.int64)]
    for among in stream.ranges():
        phrases, _ = stream.held(*stream.longer(shorter, size, spread, among))
        starts = np.flatnonzero(np.diff(phrases, prepend=-1))
        times = np.diff(starts, append=len(phrases))
        frequent.append(phrases[starts[times >= least]])
    return np.concatenate(frequent)
