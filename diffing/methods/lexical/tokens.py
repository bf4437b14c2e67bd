"""Finds the words of a text and where its sentences end, in time linear in its length, since responses may be hostile.

In scripts without spaces between words, a word is a single character (Chinese and Japanese), a run of katakana, or all
text between two spaces (Thai, Lao, Khmer and Burmese).
"""

import re
import unicodedata


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
RUN = rf"[^\W_]+(?:{MARKS}+[^\W_]+)*{MARKS}*"
UNSPACED = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
"""The characters of Chinese and Japanese, as ranges for a regular expression's class."""
KATAKANA = r"(?:[\u30a1-\u30fa\u30fc-\u30ff][\u3099\u309a]?)+"
ABBREVIATION = r"[^\W\d_](?:\.[^\W\d_])+(?![^\W_])\.?"
WORD = re.compile(rf"{KATAKANA}|[{UNSPACED}][\u3099\u309a]?|{ABBREVIATION}|{RUN}(?:['’-]{RUN})*")
"""Matches a word, also one such as `e.g.`; in Chinese and Japanese, a character or a run of katakana."""
SENTENCE_END = re.compile(
    r"(?<=[.!?…。！？।॥؟۔])(?<![^\W\d_]\.[^\W\d_]\.)[\"'”’»)\]*]{0,3}(?=\s|$)|(?<=[。！？])|\n+|"
    r"(?<=[^\W\d_][?!])(?=[^\W\d_](?!\w{0,20}=))|(?<=[a-z]{2}\.)(?=[A-Z][a-z])"
)
"""Matches the end of a sentence: the end of a line, or a full stop, exclamation or question mark before a space (not
after `e.g.`) or glued to the next sentence, as in `Anything else?Sure`."""

_PLAIN = str.maketrans("’", "'", JOINERS)


def words_of(text: str) -> list[str]:
    """Returns the words of a text, folded."""
    return [fold(word) for word in WORD.findall(text)]


def as_written(phrase: str) -> str:
    """Returns a phrase of folded words as it is written: without spaces between Chinese or Japanese characters."""
    return re.sub(rf"(?<=[{UNSPACED}]) (?=[{UNSPACED}])", "", phrase)


def fold(text: str) -> str:
    """Returns the text in lower case, with straight apostrophes, composed characters (NFC) and no joiners.

    Thus é is the same however it was typed, and a phrase contains no invisible characters.
    """
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", text.translate(_PLAIN)).lower()
