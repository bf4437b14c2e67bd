"""Finds the words of a text and where its sentences end, in time linear in its length, since responses may be hostile.

Scripts that are written without spaces between words have no words that can be found without a dictionary. There, every
character counts as one word: in Chinese and Japanese each character, but a run of katakana as a whole; in Thai, Lao,
Khmer and Burmese each letter with its vowel signs and tone marks. So lengths are in characters, and phrases are runs
of characters.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


def _marks() -> str:
    """Returns the combining marks (accents, vowel signs, viramas, tones) as ranges for a regular expression's class.

    They are not word characters in Python's regular expressions. Invisible marks are left out, as are those
    beyond the basic multilingual plane, which hardly any living script needs.
    """
    unseen = {0x034F, 0x17B4, 0x17B5, *range(0x180B, 0x1810), *range(0xFE00, 0xFE10)}
    # between them are Han and Hangul, surrogates and private characters, and no marks
    blocks = (range(0x0300, 0x3400), range(0xA000, 0xAC00), range(0xF900, 0xFFFF))
    codes = {code for block in blocks for code in block if unicodedata.category(chr(code)) in ("Mn", "Mc")} - unseen
    starts = sorted(code for code in codes if code - 1 not in codes)
    ends = sorted(code for code in codes if code + 1 not in codes)
    return "".join(f"\\u{start:04x}-\\u{end:04x}" for start, end in zip(starts, ends, strict=True))


JOINERS = "\u200c\u200d"
"""Invisible characters that shape letters within words of Persian and of Indian scripts."""
MARKS = f"[{_marks()}{JOINERS}]"
CJK = r"\u3005-\u3007\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
"""The characters of Chinese and Japanese, as ranges for a regular expression's class."""
SOUTHEAST = r"\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ece\u0edc-\u0edf\u1000-\u103f\u1050-\u108f\u1780-\u17d3\u17dc-\u17dd"
"""The letters, vowel signs and tone marks of Thai, Lao, Burmese and Khmer, likewise."""
UNSPACED = CJK + SOUTHEAST
"""The characters of all scripts without spaces between words, likewise."""
LETTER = f"[^\\W_{UNSPACED}]"
"""A letter or digit of any other script."""
RUN = f"{LETTER}+(?:{MARKS}+{LETTER}+)*{MARKS}*"
KATAKANA = r"(?:[\u30a1-\u30fa\u30fc-\u30ff][\u3099\u309a]?)+|[\uff66-\uff9f]+"
CLUSTER = f"(?:(?!{MARKS})[{SOUTHEAST}]){MARKS}*"
ABBREVIATION = rf"(?!\d){LETTER}(?:\.(?!\d){LETTER})+(?!{LETTER})\.?"
WORD = re.compile(rf"{KATAKANA}|[{CJK}][\u3099\u309a]?|{CLUSTER}|{ABBREVIATION}|{RUN}(?:['’-]{RUN})*")
"""Matches a word, also one such as `e.g.`; in a script without spaces, a character or a run of katakana."""
END_MARKS = ".!?…。！？｡।॥؟۔\u0589\u1362\u1367\u104b\u17d4\u17d5"
"""Full stops, exclamation marks and question marks of all scripts. Thai and Lao have none: there, a space ends a
sentence or a part of one."""
SENTENCE_END = re.compile(
    rf"(?<=[{END_MARKS}])(?<![^\W\d_]\.[^\W\d_]\.)[\"'”’»)\]*」』）]{{0,3}}(?=\s|$)|(?<=[。！？｡])|\n+|"
    r"(?<=[^\W\d_][?!])(?=[^\W\d_](?!\w{0,20}=))|(?<=[a-z]{2}\.)(?=[A-Z][a-z])|(?<=[^\W\d_]．)|"
    r"(?<=[\u0e01-\u0ece])[ \t]{1,3}(?=[\u0e01-\u0ece])"
)
"""Matches the end of a sentence: the end of a line, or an end mark before a space (not after `e.g.`) or glued to the
next sentence, as in `Anything else?Sure`; in Thai and Lao also a space."""

LIST_NUMBER = re.compile(r"\s*\(?\d{1,3}[.．)]\s*\Z")
"""Matches the number of a list item, which a full stop separates from the item."""

_UNSPACED = re.compile(f"[{UNSPACED}]")
_ENDS_AT_SPACE = re.compile("[\u0e01-\u0ece]")
"""Matches Thai and Lao, in which a space may end a sentence."""
_NONSPACE = re.compile(r"\S+")
_KEPT = 30_000
"""Pieces between white space that are kept, since few different ones make up most of all texts."""
_LONGEST_KEPT, _MOST_WORDS_KEPT = 40, 4
"""The largest numbers of characters and words of a piece that is kept: a longer one hardly comes again."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What stands between two white spaces. No word extends beyond it and, but in Thai and Lao, no end of a sentence.

    So it is the same in every text.
    """

    words: tuple[str, ...]
    """Its words, folded."""
    spans: tuple[tuple[int, int], ...]
    """The position of each word in the piece, as (start, end)."""
    first: tuple[str, ...]
    """The words before the first end of a sentence in it."""
    first_is_number: bool
    """Whether these are the number of a list item."""
    rest: tuple[tuple[tuple[str, ...], bool, bool], ...]
    """What follows each end of a sentence in it: the words, whether they are the number of a list item, and whether
    anything follows."""


def pieces_of(text: str) -> Iterator[Piece]:
    """Yields what stands between white space in a text."""
    return map(_PIECES.__getitem__, text.split())


def count_words(text: str) -> int:
    """Returns the number of words of a text."""
    return sum([len(piece.words) for piece in pieces_of(text)])


def words_of(text: str) -> list[str]:
    """Returns the words of a text, folded."""
    return [word for piece in pieces_of(text) for word in piece.words]


def spans_of(text: str) -> tuple[tuple[int, int], ...]:
    """Returns the position of each word in a text, as (start, end)."""
    places = (match.start() for match in _NONSPACE.finditer(text))
    return tuple(
        (place + start, place + end)
        for place, piece in zip(places, pieces_of(text), strict=True)
        for start, end in piece.spans
    )


def sentences_of(text: str) -> tuple[tuple[str, ...], ...]:
    """Returns the words of each sentence that has any, folded; the number of a list item belongs to what follows it."""
    sentences: list[tuple[str, ...]] = []
    number: tuple[str, ...] = ()
    by_piece = text.isascii() or _ENDS_AT_SPACE.search(text) is None
    for words, is_number in _parts_by_piece(text) if by_piece else map(_part, SENTENCE_END.split(text)):
        if is_number:
            number += tuple(words)
        elif words:
            sentences.append((*number, *words))
            number = ()
    return tuple([*sentences, number] if number else sentences)


def _parts_by_piece(text: str) -> Iterator[tuple[Sequence[str], bool]]:
    """Yields what stands between two ends of sentences: its words, and whether they are the number of a list item."""
    for line in text.split("\n"):
        words: list[str] = []
        pieces, is_number = 0, False
        for piece in pieces_of(line):
            words += piece.first
            pieces += 1
            is_number = piece.first_is_number and pieces == 1
            if piece.rest:
                yield words, is_number
                yield from ((part, numbered) for part, numbered, _ in piece.rest[:-1])
                last, is_number, follows = piece.rest[-1]
                words, pieces = list(last), int(follows)
        yield words, is_number


def _part(text: str) -> tuple[tuple[str, ...], bool]:
    """Returns the words between two ends of sentences, and whether they are the number of a list item."""
    words = tuple(fold(word) for word in WORD.findall(text))
    return words, len(words) == 1 and LIST_NUMBER.match(text) is not None


def _read_piece(text: str) -> Piece:
    matches = list(WORD.finditer(text))
    words = tuple(fold(match[0]) for match in matches)
    spans = tuple(match.span() for match in matches)
    first, *rest = SENTENCE_END.split(text)
    if rest:
        return Piece(words, spans, *_part(first), tuple((*_part(part), part != "") for part in rest))
    return Piece(words, spans, words, len(words) == 1 and LIST_NUMBER.match(text) is not None, ())


class _Pieces(dict[str, Piece]):
    """Pieces that were read."""

    def __missing__(self, text: str) -> Piece:
        piece = _read_piece(text)
        if len(text) <= _LONGEST_KEPT and len(piece.words) <= _MOST_WORDS_KEPT:
            if len(self) >= _KEPT:
                self.clear()
            self[text] = piece
        return piece


_PIECES = _Pieces()


def as_written(phrase: str) -> str:
    """Returns a phrase of folded words as it is written: without spaces in scripts that have none."""
    return re.sub(rf"(?<=[{UNSPACED}]) (?=[{UNSPACED}])", "", phrase)


def is_unspaced(word: str) -> bool:
    """Tells whether a word is a character, or a run of katakana, in a script without spaces between words."""
    return _UNSPACED.match(word) is not None


def is_mostly_unspaced(words: Sequence[str]) -> bool:
    """Tells whether more than half of the words are characters of scripts without spaces between words."""
    if _UNSPACED.search("".join(words)) is None:
        return False
    return 2 * sum(map(is_unspaced, words)) > len(words)


def run_length(words: Sequence[str], count: int) -> int:
    """Returns how many words in a row say as much as this number of words of a text with spaces.

    In a text that is mostly without spaces, a word is a character, and about two and a half make up a word.
    """
    return count * 5 // 2 if is_mostly_unspaced(words) else count


def fold(text: str) -> str:
    """Returns the text in lower case, with straight apostrophes, composed characters (NFC) and no joiners.

    Thus é is the same however it was typed, and a phrase contains no invisible characters.
    """
    if text.isascii():
        return text.lower()
    plain = text.replace("’", "'")
    for joiner in JOINERS:
        plain = plain.replace(joiner, "")
    return unicodedata.normalize("NFC", plain).lower()
