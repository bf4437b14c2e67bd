"""Searches many texts for a pattern at once: RE2, which PyArrow brings, leaves few texts to Python's slower `re`.

The results are those of `re`. RE2 knows only ASCII's letters as letters and has no conditions on what stands before or
after a match. So it reads only texts whose letters are all ASCII's, and a pattern with such conditions is sought without
them first: where that finds nothing, the pattern is not there either.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIGNS = "“”‘’–—…•£€°™®©→«»"
"""Signs beyond ASCII that are frequent in English texts. None is a letter or white space."""
PLAIN = re.compile(f"[\\t\\n\\r -~{SIGNS}]*")
"""Matches a text in which RE2's classes of characters are those of `re`."""
_CONDITION = re.compile(r"\(\?(?:[=!]|<[=!])")
_NO_MATCH = re.compile(r"(?!)")


@dataclass(frozen=True, slots=True)
class Re2Pattern:
    """A pattern for RE2."""

    pattern: str
    """It matches in every plain text in which the pattern for `re` matches, and perhaps in others."""
    finds: bool
    """Whether it matches in no others."""
    counts: bool
    """Whether it also matches as often, though PyArrow seeks each match as if the text began after the one before."""


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
        if fast is None:
            return [sought.search(text) is not None for text in self.texts]
        found = [sought.search(text) is not None if plain is None else plain for text, plain in self._hits(fast)]
        if fast.finds:
            return found
        return [hit and sought.search(text) is not None for text, hit in zip(self.texts, found, strict=True)]

    def counts(self, sought: re.Pattern[str]) -> list[int]:
        """Counts for each text how often the pattern occurs in it."""
        fast = re2_pattern(sought)
        if fast is None:
            return [_count(sought, text) for text in self.texts]
        if not fast.counts:
            return [0 if hit is False else _count(sought, text) for text, hit in self._hits(fast)]
        import pyarrow.compute as pc

        counted = iter(pc.count_substring_regex(self._arrow, fast.pattern).to_pylist())
        return [next(counted) if plain else _count(sought, text) for text, plain in self._with_plain]

    def may_hold(self, sought: re.Pattern[str]) -> list[bool]:
        """Tells for each text whether the pattern may occur in it; False is certain."""
        fast = re2_pattern(sought)
        return [True] * len(self.texts) if fast is None else [hit is not False for _, hit in self._hits(fast)]

    def _hits(self, fast: Re2Pattern) -> list[tuple[str, bool | None]]:
        """Returns each text and whether RE2's pattern occurs in it; None for those that are not plain."""
        import pyarrow.compute as pc

        hits = iter(pc.match_substring_regex(self._arrow, fast.pattern).to_pylist())
        return [(text, next(hits) if plain else None) for text, plain in self._with_plain]

    @cached_property
    def _with_plain(self) -> list[tuple[str, bool]]:
        return [(text, PLAIN.fullmatch(text) is not None) for text in self.texts]

    @cached_property
    def _arrow(self) -> Any:  # noqa: ANN401  PyArrow has no types
        import pyarrow as pa

        return pa.array([text for text, plain in self._with_plain if plain], pa.large_string())


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
        pc.match_substring_regex(pa.array([""]), pattern)
    except pa.ArrowInvalid:
        return None
    same = bare == sought.pattern.replace(r"\Z", r"\z")
    anchored = "^" in re.sub(r"\[(?:\\.|[^\]\\])*\]", "", bare) or r"\A" in bare
    whole_words = r"\b" not in bare or bare.endswith(r"\b")
    return Re2Pattern(pattern, finds=same, counts=same and not anchored and whole_words)


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
