"""Weighs the terms of responses by TF-IDF: words, punctuation marks, and sequences of two.

It does what scikit-learn's `TfidfVectorizer` does, in about half of the time and without an optional
library. Which terms are weighed, and their order, does not depend on the order of the texts.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from scipy.sparse import csr_array

READ = 4_000
"""The number of characters of a text that are read."""
IN_TEXTS = 3
"""The number of texts in which a term must be."""
MOST = 20_000
"""The largest number of terms: those that are in the most texts."""
_WORD = re.compile(r"\w+|[^\w\s]")
_CHUNK = 1_000
"""The number of texts whose terms are counted at once; even, so that no pair is divided."""
_Ints = npt.NDArray[np.int64]


def term_differences(pairs: Sequence[tuple[str, str]], fitted: int) -> Iterator["csr_array"]:
    """Weighs the terms of the first text of each pair less those of the second.

    A weight is (1 + ln count) * (1 + ln((1 + texts) / (1 + texts with the term))); those of a text have length 1.

    Args:
        pairs: Pairs of texts.
        fitted: The number of pairs, from the first on, that decide which terms are weighed and how rare they are.

    Yields:
        The differences of the next pairs, shape (pairs, terms), a block at a time to save memory. The fitted pairs are
        in blocks of their own.

    Source: Manning, Raghavan and Schütze (2008), Introduction to Information Retrieval, 6.2 and 6.4.
    """
    from scipy.sparse import csr_array

    words, count = _word_numbers([text for pair in pairs for text in pair], 2 * fitted)
    terms = _frequent_terms(words[: 2 * fitted], count)
    rarity = np.log((1 + 2 * fitted) / (1 + terms.texts)) + 1
    for first, last in _blocks(2 * fitted, len(words)):
        rows = [_weigh(numbers, count, terms.codes, rarity) for numbers in words[first:last]]
        ends = np.cumsum([0, *(len(places) for places, _ in rows)])[::2]
        places = np.concatenate([places for places, _ in rows])
        weights = np.concatenate([-own if row % 2 else own for row, (_, own) in enumerate(rows)])
        block = csr_array((weights, places, ends), shape=(len(rows) // 2, len(terms.codes)))
        block.sum_duplicates()  # the terms that are in both texts of a pair
        yield block


def _blocks(fitted: int, texts: int) -> Iterator[tuple[int, int]]:
    """The first and last texts of each block; those of the fitted texts come first."""
    for start, end in ((0, fitted), (fitted, texts)):
        yield from ((first, min(first + _CHUNK, end)) for first in range(start, end, _CHUNK))


@dataclass(frozen=True, slots=True, eq=False)
class _Terms:
    """Terms by their codes, ascending, with the number of texts in which each is."""

    codes: _Ints
    texts: _Ints


def _word_numbers(texts: Sequence[str], fitted: int) -> tuple[list[npt.NDArray[np.int32]], int]:
    """The words of each text as numbers in alphabetical order, and how many there are; -1 for those in few texts."""
    seen: dict[str, int] = {}
    read = [
        np.array([seen.setdefault(word, len(seen)) for word in _WORD.findall(text[:READ].lower())], dtype=np.int32)
        for text in texts
    ]
    holders = np.zeros(len(seen), np.int64)
    for numbers in read[:fitted]:
        holders[np.unique(numbers)] += 1
    frequent = sorted(word for word, number in seen.items() if holders[number] >= IN_TEXTS)
    places = np.full(len(seen), -1, np.int32)
    places[[seen[word] for word in frequent]] = np.arange(len(frequent), dtype=np.int32)
    for text, numbers in enumerate(read):
        read[text] = places[numbers]
    return read, len(frequent)


def _codes(words: npt.NDArray[np.int32], count: int) -> _Ints:
    """The terms of a text as often as they occur: a word is its number, two in a row are coded above all numbers."""
    numbers = words.astype(np.int64)
    first, second = numbers[:-1], numbers[1:]
    both = (first >= 0) & (second >= 0)
    return np.concatenate([numbers[numbers >= 0], (first[both] + 1) * count + second[both]])


def _frequent_terms(texts: Sequence[npt.NDArray[np.int32]], count: int) -> _Terms:
    """The terms that are in enough texts; of too many those in the most texts, the first in alphabetical order."""
    known = _Terms(np.zeros(0, np.int64), np.zeros(0, np.int64))
    for first in range(0, len(texts), _CHUNK):
        codes = [np.unique(_codes(words, count)) for words in texts[first : first + _CHUNK]]
        known = _merged(known, _Terms(*np.unique(np.concatenate(codes), return_counts=True)))
    enough = np.flatnonzero(known.texts >= IN_TEXTS)
    kept = np.sort(enough[np.argsort(-known.texts[enough], kind="stable")[:MOST]])
    return _Terms(known.codes[kept], known.texts[kept])


def _merged(one: _Terms, two: _Terms) -> _Terms:
    """The terms of both, with the sums of their texts; sorting all of them together would take more memory."""
    places = np.searchsorted(one.codes, two.codes)
    both = np.append(one.codes, -1)[places] == two.codes
    one.texts[places[both]] += two.texts[both]
    new = places[~both]
    return _Terms(np.insert(one.codes, new, two.codes[~both]), np.insert(one.texts, new, two.texts[~both]))


def _weigh(
    words: npt.NDArray[np.int32], count: int, terms: _Ints, rarity: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]]:
    """The places of a text's terms among all terms, and their weights."""
    codes, times = np.unique(_codes(words, count), return_counts=True)
    places = np.searchsorted(terms, codes).astype(np.int32)
    is_known = np.append(terms, -1)[places] == codes
    weights = (1 + np.log(times[is_known])) * rarity[places[is_known]]
    return places[is_known], weights / max(float(np.sqrt(weights @ weights)), 1e-300)
