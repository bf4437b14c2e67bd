"""Searches many texts for a pattern at once: RE2, which PyArrow brings, leaves few texts to Python's slower `re`.

The results are those of `re`. RE2 knows only ASCII's letters as letters, and has no conditions on what stands before
or after a match. So it reads texts in which every other letter is replaced by one of ASCII's, and seeks a pattern
without such conditions: where it finds nothing, the pattern is not there. If text and pattern are plain, what it finds
is there.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

SIGNS = "“”‘’–—…•£€°™®©→«»"
"""Signs beyond ASCII that are frequent in English texts. None is a letter or white space."""
_PLAIN = re.compile(f"[\\t\\n\\r -~{SIGNS}]*")
"""Matches a text in which RE2's classes of characters are those of `re`."""
_CONDITION = re.compile(r"\(\?(?:[=!]|<[=!])")


@dataclass(frozen=True, slots=True)
class Re2Pattern:
    """A pattern for RE2."""

    pattern: str
    """It matches in every plain text in which the pattern for `re` matches, and perhaps in others."""
    finds: bool
    """Whether it matches in no others."""
    counts: bool
    """Whether it also matches as often, though PyArrow seeks each match as if the text began after the one before."""
    plain: bool
    """Whether it names no character that `as_plain` replaces."""


class TextBlock:
    """Texts that are searched for many patterns.

    Args:
        texts: The texts.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts

    def holds(self, sought: re.Pattern[str]) -> list[bool]:
        """Tells for each text whether the pattern occurs in it."""
        fast = re2_pattern(sought)
        found = fast is not None and fast.finds
        hits = zip(self.texts, self.may_hold(sought), self._plain, strict=True)
        return [hit and ((found and plain) or sought.search(text) is not None) for text, hit, plain in hits]

    def counts(self, sought: re.Pattern[str]) -> list[int]:
        """Counts for each text how often the pattern occurs in it."""
        fast = re2_pattern(sought)
        if fast is None or not fast.counts:
            hits = zip(self.texts, self.may_hold(sought), strict=True)
            return [_count(sought, text) if hit else 0 for text, hit in hits]
        import pyarrow.compute as pc

        counted = zip(
            self.texts, pc.count_substring_regex(self._arrow, fast.pattern).to_pylist(), self._plain, strict=True
        )
        return [
            count if plain or (fast.plain and not count) else _count(sought, text) for text, count, plain in counted
        ]

    def may_hold(self, sought: re.Pattern[str]) -> list[bool]:
        """Tells for each text whether the pattern may occur in it; False is certain."""
        fast = re2_pattern(sought)
        if fast is None:
            return [True] * len(self.texts)
        import pyarrow.compute as pc

        hits = pc.match_substring_regex(self._arrow, fast.pattern).to_pylist()
        return hits if fast.plain else [hit or not plain for hit, plain in zip(hits, self._plain, strict=True)]

    @cached_property
    def _plain(self) -> list[bool]:
        return [_PLAIN.fullmatch(text) is not None for text in self.texts]

    @cached_property
    def _arrow(self) -> Any:  # noqa: ANN401  PyArrow has no types
        each = zip(self.texts, self._plain, strict=True)
        return _arrow_texts([text if plain else as_plain(text) for text, plain in each])


def _arrow_texts(texts: Sequence[str]) -> Any:  # noqa: ANN401  PyArrow has no types
    import numpy as np
    import pyarrow as pa

    contents = [text.encode() for text in texts]
    offsets = np.cumsum([0, *map(len, contents)], dtype=np.int64)
    # not by `pyarrow.array`, which imports pandas
    return pa.LargeStringArray.from_buffers(len(contents), pa.py_buffer(offsets), pa.py_buffer(b"".join(contents)))


class _AsPlain(dict[int, str]):
    """Replaces each character that is not plain by one that `re` puts into the same classes."""

    def __missing__(self, code: int) -> str:
        sign = chr(code)
        if _PLAIN.fullmatch(sign):
            plain = sign
        elif sign.isspace():
            plain = " "
        elif sign.isdecimal():
            plain = "0"
        else:
            plain = "q" if sign.isalnum() else "°"
        self[code] = plain
        return plain


_AS_PLAIN = _AsPlain()


def as_plain(text: str) -> str:
    """Replaces all characters that are not plain; a plain pattern that matches the text matches the result as well."""
    return text.translate(_AS_PLAIN)


@lru_cache(None)
def re2_pattern(sought: re.Pattern[str]) -> Re2Pattern | None:
    """Translates a pattern of `re` for RE2; None if it ignores case, or has what RE2 does not know."""
    import pyarrow as pa
    import pyarrow.compute as pc

    bare = without_conditions(sought.pattern).replace(r"\Z", r"\z")
    if sought.flags & re.IGNORECASE or "$" in re.sub(r"\\.|\[(?:\\.|[^\]\\])*\]", "", bare):
        return None
    flags = "m" * bool(sought.flags & re.MULTILINE) + "s" * bool(sought.flags & re.DOTALL)
    pattern = f"(?{flags}){bare}" if flags else bare
    try:
        pc.match_substring_regex(_arrow_texts([""]), pattern)
    except pa.ArrowInvalid:
        return None
    same = bare == sought.pattern.replace(r"\Z", r"\z")
    anchored = "^" in re.sub(r"\[(?:\\.|[^\]\\])*\]", "", bare) or r"\A" in bare
    whole_words = r"\b" not in bare or bare.endswith(r"\b")
    plain = _PLAIN.fullmatch(bare) is not None and r"\x{" not in bare
    return Re2Pattern(pattern, same, same and not anchored and whole_words, plain)


def without_conditions(pattern: str) -> str:
    """Removes what a pattern says about the text before or after a match: `(?=...)`, `(?!...)`, `(?<=...)`, `(?<!...)`.

    What is left matches wherever the pattern does.
    """
    kept: list[str] = []
    depth, skipped, in_class, at = 0, 0, False, 0  # `skipped`: the depth at which a condition began, or 0
    while at < len(pattern):
        size = 2 if pattern[at] == "\\" else 1
        sign = pattern[at : at + size]
        if in_class:
            in_class = sign != "]"
        elif sign == "[":
            in_class = True
            if pattern[at + 1 : at + 2] == "^":
                size = 2
            if pattern[at + size : at + size + 1] == "]":
                size += 1
        elif sign == "(":
            depth += 1
            skipped = skipped or (depth if _CONDITION.match(pattern, at) else 0)
        if not skipped:
            kept.append(pattern[at : at + size])
        if sign == ")" and not in_class:
            skipped = 0 if skipped == depth else skipped
            depth -= 1
        at += size
    return "".join(kept)


def _count(sought: re.Pattern[str], text: str) -> int:
    return sum(1 for _ in sought.finditer(text)) if sought.groups else len(sought.findall(text))
