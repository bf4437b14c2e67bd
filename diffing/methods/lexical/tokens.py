"""Finds the words of a text and where its sentences end, in time linear in its length, since responses may be hostile.

Scripts that are written without spaces between words have no words that can be found without a dictionary. There, every
character counts as one word: in Chinese and Japanese each character, but a run of katakana as a whole; in Thai, Lao,
Khmer and Burmese each letter with its vowel signs and tone marks. So lengths are in characters, and phrases are runs
of characters.
"""

import re
import unicodedata
from collections.abc import Sequence


def _marks() -> str:
    """Returns the combining marks (accents, vowel signs, viramas, tones) as ranges for a regular expression's class.

    They are not word characters in Python's regular expressions. Invisible marks are left out, as are those
    beyond the basic multilingual plane, which hardly any living script needs.
    """
    unseen = {0x034F, 0x17B4, 0x17B5, *range(0x180B, 0x1810), *range(0xFE00, 0xFE10)}
    codes = {code for code in range(0x0300, 0xFFFF) if unicodedata.category(chr(code)) in ("Mn", "Mc")} - unseen
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

_UNSPACED = re.compile(f"[{UNSPACED}]")
_PLAIN = str.maketrans("’", "'", JOINERS)


def words_of(text: str) -> list[str]:
    """Returns the words of a text, folded."""
    return [fold(word) for word in WORD.findall(text)]


def as_written(phrase: str) -> str:
    """Returns a phrase of folded words as it is written: without spaces in scripts that have none."""
    return re.sub(rf"(?<=[{UNSPACED}]) (?=[{UNSPACED}])", "", phrase)


def is_unspaced(word: str) -> bool:
    """Tells whether a word is a character, or a run of katakana, in a script without spaces between words."""
    return _UNSPACED.match(word) is not None


def run_length(words: Sequence[str], count: int) -> int:
    """Returns how many words in a row say as much as this number of words of a text with spaces.

    In a text that is mostly without spaces, a word is a character, and about two and a half make up a word.
    """
    return count * 5 // 2 if 2 * sum(map(is_unspaced, words)) > len(words) else count


def fold(text: str) -> str:
    """Returns the text in lower case, with straight apostrophes, composed characters (NFC) and no joiners.

    Thus é is the same however it was typed, and a phrase contains no invisible characters.
    """
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", text.translate(_PLAIN)).lower()
