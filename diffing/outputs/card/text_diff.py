"""Makes a unified diff of two versions of a card, in time linear in its length, because a stranger wrote most of it."""

import difflib
from collections.abc import Iterator, Sequence

_AROUND = 3
"""Number of unchanged lines that are shown before and after the changes."""
_MOST = 400
"""Maximum number of lines to compare, since comparing can take quadratic time; sections have about twenty lines."""


def changes(before: str, after: str, name: str) -> str:
    """Returns a unified diff with one hunk; empty if nothing changes.

    Args:
        before: The present content of the file.
        after: The new content.
        name: The file's name.
    """
    old, new = before.splitlines(), after.splitlines()
    if old == new:
        return ""
    first = _same(old, new)
    last = _same(old[first:][::-1], new[first:][::-1])
    start, tail = max(first - _AROUND, 0), max(last - _AROUND, 0)
    lines = [
        *(f" {line}" for line in old[start:first]),
        *_changed(old[first : len(old) - last], new[first : len(new) - last]),
        *(f" {line}" for line in old[len(old) - last : len(old) - tail]),
    ]
    place = f"@@ -{_range(start, len(old) - tail)} +{_range(start, len(new) - tail)} @@"
    return "\n".join((f"--- a/{name}", f"+++ b/{name}", place, *lines))


def _changed(old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    """Yields removed and added lines, and the unchanged ones between them."""
    short = max(len(old), len(new)) <= _MOST
    whole = ("replace", 0, len(old), 0, len(new))
    codes = difflib.SequenceMatcher(None, old, new).get_opcodes() if short else [whole]
    for kind, a, b, c, d in codes:
        if kind == "equal":
            yield from (f" {line}" for line in old[a:b])
        else:
            yield from (f"-{line}" for line in old[a:b])
            yield from (f"+{line}" for line in new[c:d])


def _same(one: Sequence[str], other: Sequence[str]) -> int:
    """Returns the number of equal lines at the beginning of both."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (left, right) in pairs if left != right), min(len(one), len(other)))


def _range(start: int, end: int) -> str:
    """Returns the range of lines in the notation of unified diffs: from 1, or the line before if it is empty."""
    return f"{start + 1 if end > start else start},{end - start}"
