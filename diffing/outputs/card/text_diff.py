"""What changes in a card, line by line, in time that grows with its length alone: what stays is a stranger's."""

import difflib
from collections.abc import Iterator, Sequence

_AROUND = 3
"""Lines that stay, shown before and after those that change."""
_MOST = 400
"""Lines that are compared with each other, which can take the square of their number; sections have some twenty."""


def changes(before: str, after: str, name: str) -> str:
    """A unified diff of one stretch of lines; empty where nothing changes.

    Args:
        before: The file as it is.
        after: As it would be.
        name: Of the file.
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
    """Lines that go and come, and those in between that stay."""
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
    """Lines with which both begin."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (left, right) in pairs if left != right), min(len(one), len(other)))


def _range(start: int, end: int) -> str:
    """Lines as a unified diff counts them: from 1, or the one before where there are none."""
    return f"{start + 1 if end > start else start},{end - start}"
