"""Where words and sentences are. Patterns are linear in the text: responses are hostile."""

import re

WORD = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]|[^\W_]+(?:['’-][^\W_]+)*")
"""A word; in Chinese and Japanese, which put no spaces between words, a character."""
SENTENCE_END = re.compile(r"(?<=[.!?…。！？])[\"'”’»)\]*]{0,3}(?=\s|$)|(?<=[。！？])|\n+")
"""Where one sentence ends: at a full stop, exclamation or question mark before a space, and at every line's end."""


def words_of(text: str) -> list[str]:
    """The words in lower case, with straight apostrophes."""
    return [word.lower() for word in WORD.findall(text.replace("’", "'"))]
