"""Where words and sentences are. Patterns are linear in the text: responses are hostile.

A word in a script without spaces between words is a character in Chinese and Japanese; in Thai, Lao, Khmer and Burmese
it is all that stands between two spaces.
"""

import re
import unicodedata


def _marks() -> str:
    """The marks that belong to the letter before them, as ranges for a class: accents, vowel signs, viramas, tones.

    Python counts none of them among the characters of a word. Marks that nobody sees are left out, and those beyond the
    basic plane, which hardly any living script needs.
    """
    unseen = {0x034F, 0x17B4, 0x17B5, *range(0x180B, 0x1810), *range(0xFE00, 0xFE10)}
    codes = {code for code in range(0x0300, 0xFFFF) if unicodedata.category(chr(code)) in ("Mn", "Mc")} - unseen
    starts = sorted(code for code in codes if code - 1 not in codes)
    ends = sorted(code for code in codes if code + 1 not in codes)
    return "".join(f"\\u{start:04x}-\\u{end:04x}" for start, end in zip(starts, ends, strict=True))


JOINERS = "\u200c\u200d"
"""They shape letters within a word of Persian and of the scripts of India; nobody sees them."""
MARKS = f"[{_marks()}{JOINERS}]"
RUN = rf"[^\W_]+(?:{MARKS}+[^\W_]+)*{MARKS}*"
WORD = re.compile(rf"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff][\u3099\u309a]?|{RUN}(?:['’-]{RUN})*")
"""A word; in Chinese and Japanese, which put no spaces between words, a character."""
SENTENCE_END = re.compile(r"(?<=[.!?…。！？।॥؟۔])[\"'”’»)\]*]{0,3}(?=\s|$)|(?<=[。！？])|\n+")
"""Where one sentence ends: at a full stop, exclamation or question mark before a space, and at every line's end."""

_PLAIN = str.maketrans("’", "'", JOINERS)


def words_of(text: str) -> list[str]:
    """The words, folded."""
    return [fold(word) for word in WORD.findall(text)]


def fold(text: str) -> str:
    """The text in lower case, with straight apostrophes, composed (NFC), without joiners.

    So é is the same however it was typed, and a phrase has no character that nobody sees.
    """
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", text.translate(_PLAIN)).lower()
